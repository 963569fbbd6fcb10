// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>

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

/// As the errors of the rooms that add a type of their own.
class DerivedError : public Error {
  public:
    using Error::Error;
    explicit DerivedError(const Error &cause) : Error(cause) {}
};

Error made() {
    return {ErrorCode::internal, "text"};
}

constexpr unsigned int kLineOfMade = __LINE__ - 3;

[[noreturn]] void raiseForCaller(SourcePlace place = SourcePlace::current()) {
    throw DerivedError(ErrorCode::internal, "text", 0, place);
}

void expectMade(const Error &error) {
    EXPECT_STREQ(error.place().file(), "tests/conf/error_test.cpp");
    EXPECT_STREQ(error.place().function, "made");
    EXPECT_EQ(error.place().line, kLineOfMade);
}

TEST(ErrorPlace, IsWhereTheErrorWasMadeAndNoPathOfTheBuild) {
    expectMade(made());
}

TEST(ErrorPlace, IsKeptByCopies) {
    const std::optional<Error> kept = made();
    const Error copy = *kept;
    expectMade(copy);
    expectMade(DerivedError(copy));
    try {
        throw copy;
    } catch (const Error &caught) {
        expectMade(caught);
    }
}

TEST(ErrorPlace, OfADerivedTypeIsWhereThatWasMade) {
    const auto raise = [] { throw DerivedError(ErrorCode::internal, "text"); };
    try {
        raise();
    } catch (const Error &caught) {
        EXPECT_EQ(caught.place().line, __LINE__ - 4U);
        EXPECT_STREQ(caught.place().file(), "tests/conf/error_test.cpp");
    }
}

TEST(ErrorPlace, OfAHelperThatRaisesForOthersIsTheCall) {
    try {
        raiseForCaller();
    } catch (const Error &caught) {
        EXPECT_EQ(caught.place().line, __LINE__ - 2U);
        EXPECT_STREQ(caught.place().function, "TestBody");
    }
}

TEST(InQuotes, ANameStandsInSingleQuotesAsItIs) {
    EXPECT_EQ(inQuotes("/etc/libvirt"), "'/etc/libvirt'");
    EXPECT_EQ(inQuotes("it's \"so\""), "'it's \"so\"'");
    EXPECT_EQ(inQuotes(""), "''");
}

TEST(SourcePlace, AFileIsNamedFromTheTopOfTheProject) {
    EXPECT_STREQ(SourcePlace::current("../src/store/index.cpp").file(), "src/store/index.cpp");
    EXPECT_STREQ(SourcePlace::current("/home/a/src/keyhold/src/conf/usage.h").file(),
                 "src/conf/usage.h");
    EXPECT_STREQ(SourcePlace::current("usage.h").file(), "usage.h");
}

} // namespace
} // namespace keyhold
