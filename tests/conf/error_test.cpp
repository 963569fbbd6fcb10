// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace keyhold {
namespace {

TEST(Error, KeepsCodeMessageAndErrno) {
    const Error error(ErrorCode::fileAccess, "cannot unlink '/x'", EIO);
    EXPECT_EQ(error.code(), ErrorCode::fileAccess);
    EXPECT_EQ(error.message(), "cannot unlink '/x'");
    EXPECT_STREQ(error.what(), "cannot unlink '/x'");
    EXPECT_EQ(error.systemErrno(), EIO);
}

TEST(Error, FullTextEndsWithTheTextOfErrno) {
    EXPECT_EQ(Error(ErrorCode::fileAccess, "cannot unlink '/x'", EIO).fullText(),
              "cannot unlink '/x': Input/output error");
}

TEST(Error, FullTextIsTheMessageWithoutErrno) {
    EXPECT_EQ(Error(ErrorCode::internal, "malformed uuid element").fullText(),
              "malformed uuid element");
}

} // namespace
} // namespace keyhold
