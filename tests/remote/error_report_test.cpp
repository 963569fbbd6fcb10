// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/error_report.h"

#include "remote/host_log_file.h"
#include "remote/libvirt_fixture.h"

#include <atomic>
#include <cerrno>
#include <new>
#include <ostream>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace keyhold {

namespace {

struct Expected {
    ErrorCode code;
    const char *name;
    int domain;
    int libvirtCode;
    bool hasErrno;
};

void PrintTo(const Expected &expected, std::ostream *out) {
    *out << expected.name;
}

/// Numbers, not names: they are what clients compare with (libvirt/virterror.h). A code that is
/// added is a warning, hence an error, of this switch. What is no code has no name.
constexpr Expected expectedOf(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalidArgument:
        return {code, "invalidArgument", 30, 8, false};
    case ErrorCode::internal:
        return {code, "internal", 30, 1, false};
    case ErrorCode::configUnsupported:
        return {code, "configUnsupported", 30, 67, false};
    case ErrorCode::xmlInvalid:
        return {code, "xmlInvalid", 30, 27, false};
    case ErrorCode::xmlAttributeInvalid:
        return {code, "xmlAttributeInvalid", 5, 27, false};
    case ErrorCode::xmlRootUnexpected:
        return {code, "xmlRootUnexpected", 5, 27, false};
    case ErrorCode::xmlMalformed:
        return {code, "xmlMalformed", 30, 35, false};
    case ErrorCode::xmlSchemaMismatch:
        return {code, "xmlSchemaMismatch", 5, 92, false};
    case ErrorCode::xmlSchemaUnusable:
        return {code, "xmlSchemaUnusable", 5, 1, false};
    case ErrorCode::notFound:
        return {code, "notFound", 30, 66, false};
    case ErrorCode::privateValue:
        return {code, "privateValue", 30, 65, false};
    case ErrorCode::valueUnreadable:
        return {code, "valueUnreadable", 30, 1, false};
    case ErrorCode::invalidEncryptionKey:
        return {code, "invalidEncryptionKey", 30, LIBVIR_VERSION_NUMBER < 12'001'000 ? 1 : 114,
                false};
    case ErrorCode::fileAccess:
        return {code, "fileAccess", 0, 38, true};
    case ErrorCode::systemCall:
        return {code, "systemCall", 30, 38, true};
    case ErrorCode::noMemory:
        return {code, "noMemory", 30, 2, false};
    case ErrorCode::notActive:
        return {code, "notActive", 30, 1, false};
    }
    return {code, nullptr, 0, 0, false};
}

std::vector<Expected> expectedOfAll() {
    std::vector<Expected> out;
    for (int number = 0;; ++number) {
        const Expected expected = expectedOf(static_cast<ErrorCode>(number));
        if (expected.name == nullptr)
            return out;
        out.push_back(expected);
    }
}

class EachErrorCode : public WithLibvirt, public testing::WithParamInterface<Expected> {};

using ErrorReport = WithLibvirt;
using Guard = WithLibvirt;

[[noreturn]] void raiseHere(ErrorCode code) {
    throw Error(code, "raised", EIO);
}

constexpr unsigned int kLineOfRaise = __LINE__ - 3;

} // namespace

TEST_P(EachErrorCode, HasDomainCodeTextAndNumbers) {
    const Expected &expected = GetParam();
    reportError(Error(expected.code, "the message '%s'", EACCES));
    const virError error = lastError();
    EXPECT_EQ(error.domain, expected.domain);
    EXPECT_EQ(error.code, expected.libvirtCode);
    EXPECT_EQ(error.level, VIR_ERR_ERROR);
    EXPECT_EQ(error.int1, expected.hasErrno ? EACCES : -1);
    EXPECT_EQ(error.int2, -1);
    EXPECT_NE(std::string(error.message).find("the message '%s'"), std::string::npos)
        << error.message;
    EXPECT_EQ(std::string(error.message).ends_with(": Permission denied"), expected.hasErrno)
        << error.message;
}

INSTANTIATE_TEST_SUITE_P(ErrorReport, EachErrorCode, testing::ValuesIn(expectedOfAll()),
                         [](const auto &tested) { return std::string(tested.param.name); });

TEST_F(ErrorReport, TextsAreThoseOfTheStockDriver) {
    reportError(Error(ErrorCode::notFound, "no secret with matching uuid 'u'"));
    EXPECT_STREQ(lastError().message, "Secret not found: no secret with matching uuid 'u'");
    reportError(Error(ErrorCode::internal, "malformed uuid element"));
    EXPECT_STREQ(lastError().message, "internal error: malformed uuid element");
    reportError(Error(ErrorCode::fileAccess, "Failed to acquire pid file 'p'", EAGAIN));
    EXPECT_STREQ(lastError().message,
                 "Failed to acquire pid file 'p': Resource temporarily unavailable");
    reportError(Error(ErrorCode::xmlAttributeInvalid, "invalid value of 'ephemeral'"));
    EXPECT_STREQ(lastError().message, "XML error: invalid value of 'ephemeral'");
}

TEST_F(ErrorReport, TheLogNamesWhereTheErrorWasRaised) {
    const std::string place = "raiseHere:" + std::to_string(kLineOfRaise) + " : ";
    for (const ErrorCode code : {ErrorCode::internal, ErrorCode::fileAccess}) {
        const LibvirtLogFile log;
        guard(-1, [&]() -> int { raiseHere(code); });
        EXPECT_NE(log.text().find(place), std::string::npos) << log.text();
    }
}

TEST_F(Guard, ReturnsWhatTheBodyReturnsAndRaisesNothing) {
    EXPECT_EQ(guard(-1, [] { return 7; }), 7);
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Guard, AnErrorOfOursBecomesLibvirtsError) {
    EXPECT_EQ(guard(-1, []() -> int { throw Error(ErrorCode::notFound, "gone"); }), -1);
    EXPECT_EQ(lastError().code, VIR_ERR_NO_SECRET);
}

TEST_F(Guard, AnErrorThatLibvirtRaisedIsLeftAlone) {
    const int result = guard(-1, []() -> int {
        privateFunction<void(int, int, const char *, const char *, std::size_t, const char *, ...)>(
            "virReportErrorHelper")(VIR_FROM_ACCESS, VIR_ERR_ACCESS_DENIED, "f", "g", 1, "%s",
                                    "no");
        throw ErrorAlreadyRaised();
    });
    EXPECT_EQ(result, -1);
    EXPECT_EQ(lastError().domain, VIR_FROM_ACCESS);
    EXPECT_EQ(lastError().code, VIR_ERR_ACCESS_DENIED);
}

TEST_F(Guard, WantOfMemoryIsToldAsSuch) {
    EXPECT_EQ(guard(-1, []() -> int { throw std::bad_alloc(); }), -1);
    EXPECT_EQ(lastError().domain, VIR_FROM_SECRET);
    EXPECT_EQ(lastError().code, VIR_ERR_NO_MEMORY);
}

TEST_F(Guard, AnyOtherExceptionIsAnInternalError) {
    EXPECT_EQ(guard(-1, []() -> int { throw std::runtime_error("odd"); }), -1);
    EXPECT_EQ(lastError().code, VIR_ERR_INTERNAL_ERROR);
    EXPECT_STREQ(lastError().message, "internal error: odd");
}

TEST_F(Guard, EvenWhatIsNoExceptionClassGoesNoFurther) {
    EXPECT_EQ(guard(-1, []() -> int { throw 42; }), -1);
    EXPECT_EQ(lastError().code, VIR_ERR_INTERNAL_ERROR);
}

TEST_F(Guard, TheCancellationOfTheThreadPasses) {
    struct Progress {
        std::atomic<bool> isInside{false};
        std::atomic<bool> hasUnwound{false};
        std::atomic<bool> hasReturned{false};
    } progress;
    const auto body = [](void *opaque) -> void * {
        auto &own = *static_cast<Progress *>(opaque);
        guard(-1, [&] {
            struct NoteUnwinding {
                Progress &progress;
                ~NoteUnwinding() { progress.hasUnwound = true; }
            } const note{own};
            own.isInside = true;
            for (;;)
                pthread_testcancel();
            return 0;
        });
        own.hasReturned = true;
        return nullptr;
    };
    pthread_t thread{};
    ASSERT_EQ(pthread_create(&thread, nullptr, body, &progress), 0);
    while (!progress.isInside)
        sched_yield();
    ASSERT_EQ(pthread_cancel(thread), 0);
    void *result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED);
    EXPECT_TRUE(progress.hasUnwound);
    EXPECT_FALSE(progress.hasReturned);
    EXPECT_EQ(virGetLastError(), nullptr);
}

} // namespace keyhold
