// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/admin_log.h"

#include "conf/no_memory.h"
#include "conf/recording_admin_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace keyhold {
namespace {

/// Keeps one line, in memory that it has already.
class OneLine : public AdminLog {
  public:
    void info(const std::string &) override {}
    void notice(const std::string &) override {}
    void warning(const std::string &) override {}
    void error(const std::string &text) override { line.assign(text); }

    std::string line = std::string(200, ' ');

  private:
    void failureWithoutMemory(const char *text) noexcept override { line.assign(text); }
};

constexpr const char *kWhat = "a change that is longer than a short string was not reported: ";

TEST(AdminLog, TellsAFailureWithItsReason) {
    OneLine log;
    log.failure(kWhat, std::runtime_error("reason"));
    EXPECT_EQ(log.line, std::string(kWhat) + "reason");
}

TEST(AdminLog, WithoutMemoryTellsAFailureAlone) {
    OneLine log;
    const std::runtime_error why("reason");
    {
        const NoMemory none;
        log.failure(kWhat, why);
    }
    EXPECT_EQ(log.line, kWhat);
}

TEST(AdminLog, AFailureThatCannotBeToldAtAllIsNone) {
    RecordingAdminLog log; // takes memory for each line
    const std::runtime_error why("reason");
    {
        const NoMemory none;
        log.failure(kWhat, why);
    }
    EXPECT_THAT(log.lines(), testing::IsEmpty());
}

} // namespace
} // namespace keyhold
