// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/output.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

TEST(Output, ControlCharactersOfFileNamesDoNotReachTheTerminal) {
    EXPECT_EQ(printable("a\x1b[31mb\nc\x7f\tü"), "a?[31mb c??ü");
}

TEST(Output, JsonTakesNamesThatAreNotUtf8) {
    testing::internal::CaptureStdout();
    printJson({{"file", "a\xff"}});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "{\n  \"file\": \"a\xef\xbf\xbd\"\n}\n");
}

TEST(Output, ProgressIsForTerminalsOnly) {
    testing::internal::CaptureStderr();
    {
        Progress progress("rekey", 2);
        progress.show(1);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace keyhold::command
