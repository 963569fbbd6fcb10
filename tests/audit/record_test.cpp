// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::audit {
namespace {

using testing::HasSubstr;
using testing::Not;

const Source kSource{
    .instance = "system", .host = "node7", .bootId = "0123", .pid = 12, .userId = 34};

Record readBy(const Caller &caller) {
    Record record;
    record.action = Action::valueRead;
    record.time = 1'700'000'000'000'042;
    record.isCall = true;
    record.caller = caller;
    return record;
}

TEST(AuditRecord, HasTheTimeInUtcToTheMicrosecond) {
    EXPECT_THAT(textOf(readBy({}), 1, kSource),
                HasSubstr(R"("@timestamp":"2023-11-14T22:13:20.000042Z")"));
}

TEST(AuditRecord, HasItsSequenceWhereItIsReadBack) {
    Record record = readBy({});
    record.message = R"("event":{"kind":"event","sequence":7)";
    EXPECT_EQ(18446744073709551615U, sequenceOf(textOf(record, 18446744073709551615U, kSource)));
    EXPECT_FALSE(sequenceOf(R"({"event":{"sequence":1}})"));
}

TEST(AuditRecord, NamesTheCallerByAllThatIsKnown) {
    Caller caller;
    caller.userId = 1000;
    caller.userName = "al\"ice";
    caller.processId = 77;
    caller.processStart = 123456;
    caller.saslName = "a@b";
    caller.x509Name = "CN=x";
    caller.selinuxContext = "u:r:t:s0";
    const std::string text = textOf(readBy(caller), 1, kSource);
    EXPECT_THAT(text, HasSubstr(R"("user":{"id":"1000","name":"al\"ice"})"));
    EXPECT_THAT(text, HasSubstr(R"("process":{"pid":77})"));
    EXPECT_THAT(text, HasSubstr(R"("processStart":123456,"sasl":"a@b","x509":"CN=x",)"
                                R"("selinux":"u:r:t:s0","elevated":false)"));
}

TEST(AuditRecord, WhoEmbedsLibvirtIsNamedByItsOwnProcess) {
    Record record = readBy({});
    record.caller.reset();
    const std::string text = textOf(record, 1, kSource);
    EXPECT_THAT(text, HasSubstr(R"("user":{"id":"34"},"process":{"pid":12})"));
    EXPECT_THAT(text, HasSubstr(R"("elevated":true)"));
}

TEST(AuditRecord, SaysWhyACallFailed) {
    Record record = readBy({});
    record.outcome = Outcome::failure;
    record.reason = "denied";
    EXPECT_THAT(textOf(record, 1, kSource),
                HasSubstr(R"("type":["access","denied"],"outcome":"failure","reason":"denied")"));
    record.reason = "private";
    EXPECT_THAT(textOf(record, 1, kSource), HasSubstr(R"("type":["access","error"])"));
}

TEST(AuditRecord, LeavesOutWhatThereIsNot) {
    const std::string text = textOf(ofDriver(Action::started), 1, kSource);
    for (const char *name : {"user", "process\":{", "usage", "secret", "follows", "late", "count",
                             "previousChain", "job", "reason", "message"})
        EXPECT_THAT(text, Not(HasSubstr(name)));
}

TEST(AuditRecord, TellsWhatItFollowsAndHowOften) {
    Record record = ofDriver(Action::missing);
    record.follows = 3;
    record.count = 5;
    record.isLate = true;
    record.previousChain = "00";
    EXPECT_THAT(textOf(record, 1, kSource),
                HasSubstr(R"("follows":3,"late":true,"count":5,"previousChain":"00")"));
}

} // namespace
} // namespace keyhold::audit
