// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit.h"
#include "command/audit_record.h"
#include "command/json_of.h"
#include "command/trail_on_disk.h"
#include "conf/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char *kUuid = "11111111-2222-4333-8444-555555555555";

/// A trail with the records "audit-started", a read by nova, a denial and one by SASL.
class AuditShow : public testing::Test {
  protected:
    AuditShow() {
        trail.addReads(1);
        audit::Record denied = TrailOnDisk::read();
        denied.outcome = audit::Outcome::failure;
        denied.reason = "denied";
        denied.caller->userId = 0;
        denied.caller->userName.reset();
        denied.secret = Uuid::parse("99999999-2222-4333-8444-555555555555");
        denied.usage.reset();
        trail.add(denied);
        audit::Record far = TrailOnDisk::read();
        far.action = audit::Action::valueSet;
        far.caller->userId.reset();
        far.caller->userName.reset();
        far.caller->saslName = "admin@EXAMPLE";
        trail.add(far);
        trail.write();
    }

    /// The sequences of the records that it prints.
    template <typename Options>
    std::vector<int> shown(Exit (*what)(const Options &), Options options) {
        options.trail.file = trail.path();
        options.json = true;
        Json said;
        exit = runForJson([&] { return what(options); }, said);
        std::vector<int> sequences;
        for (const Json &each : said["records"])
            sequences.push_back(each["event"]["sequence"].get<int>());
        unreadable = said["unreadable"];
        return sequences;
    }

    template <typename Options>
    std::string text(Exit (*what)(const Options &), Options options) {
        options.trail.file = trail.path();
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        exit = what(options);
        told = testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    TrailOnDisk trail;
    Exit exit = Exit::clean;
    Json unreadable;
    std::string told;
};

TEST_F(AuditShow, AllRecordsAsTheyAre) {
    EXPECT_THAT(shown(auditShow, {}), ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(exit, Exit::clean);
}

TEST_F(AuditShow, ATable) {
    const std::string table = text(auditShow, {});
    EXPECT_THAT(table, testing::StartsWith("TIME "));
    EXPECT_THAT(table, testing::ContainsRegex("secret-value-read +success +- +nova pid 812 "
                                              "+remoteDispatchSecretGetValue +11111111-2222-4333-"
                                              "8444-555555555555 ceph:client.nova secret\n"));
    EXPECT_THAT(table, testing::ContainsRegex("secret-value-read +failure +denied +uid 0 pid 812"));
    EXPECT_THAT(table, HasSubstr("sasl:admin@EXAMPLE pid 812"));
    EXPECT_THAT(table, testing::ContainsRegex("audit-started +success +- +- +- +-\n"));
}

TEST_F(AuditShow, ByActionAndOutcome) {
    AuditShowOptions options;
    options.action = "secret-value-read";
    EXPECT_THAT(shown(auditShow, options), ElementsAre(2, 3));
    options.outcome = "failure";
    EXPECT_THAT(shown(auditShow, options), ElementsAre(3));
}

TEST_F(AuditShow, AnUnknownWordIsNamedWithTheNearest) {
    const auto refused = [&](const std::string &action, const std::string &outcome) {
        AuditShowOptions options;
        options.action = action;
        options.outcome = outcome;
        try {
            static_cast<void>(shown(auditShow, options));
        } catch (const Error &error) {
            return error.message();
        }
        return std::string();
    };
    EXPECT_THAT(refused("secret-value-raed", ""), HasSubstr("did you mean 'secret-value-read'?"));
    EXPECT_THAT(refused("frobnicate", ""), HasSubstr("there are secret-value-read, "));
    EXPECT_THAT(refused("", "succes"), HasSubstr("did you mean 'success'?"));
}

TEST_F(AuditShow, ByTime) {
    // The records are one second apart, from 2026-11-30T00:53:21Z on.
    AuditShowOptions options;
    options.period.since = "2026-11-30T00:53:22Z";
    EXPECT_THAT(shown(auditShow, options), ElementsAre(2, 3, 4));
    options.period.until = "2026-11-30T02:53:24+02:00";
    EXPECT_THAT(shown(auditShow, options), ElementsAre(2, 3));
    options.period = {"2026-12-01", ""};
    EXPECT_THAT(shown(auditShow, options), IsEmpty());
}

TEST_F(AuditShow, WhoUsedASecret) {
    AuditWhoOptions options;
    options.connections = {"test:///default"};
    options.secret = kUuid;
    EXPECT_THAT(shown(auditWho, options), ElementsAre(2, 4));
    options.secret = "ceph:client.nova secret";
    EXPECT_THAT(shown(auditWho, options), ElementsAre(2, 4));
    options.secret = "ceph:client.nova";
    EXPECT_THAT(shown(auditWho, options), IsEmpty());
}

TEST_F(AuditShow, WhoSaysWhyGuestsAreUnknown) {
    AuditWhoOptions options;
    options.connections = {"nowhere:///"};
    options.secret = kUuid;
    EXPECT_THAT(text(auditWho, options), HasSubstr("used by: unknown: "));
}

TEST_F(AuditShow, ByAUser) {
    AuditByOptions options;
    options.user = "nova";
    EXPECT_THAT(shown(auditBy, options), ElementsAre(2));
    options.user = "64055";
    EXPECT_THAT(shown(auditBy, options), ElementsAre(2));
    options.user = "root";
    EXPECT_THAT(shown(auditBy, options), ElementsAre(3));
    options.user = "admin@EXAMPLE";
    EXPECT_THAT(shown(auditBy, options), ElementsAre(4));
}

TEST_F(AuditShow, ALineThatIsNoRecordIsTold) {
    trail.lines.insert(trail.lines.begin() + 1, "{\"event\":\n");
    trail.lines.emplace_back("{\"event\":{\"sequence\":9}}\n");
    trail.lines.insert(trail.lines.begin() + 3, std::string(70'000, 'x') + "\n");
    trail.lines.emplace_back("{\"torn\":");
    trail.write();
    EXPECT_THAT(shown(auditShow, {}), ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(exit, Exit::findings);
    ASSERT_EQ(unreadable.size(), 4);
    EXPECT_EQ(unreadable[0]["line"], 2);
    EXPECT_EQ(unreadable[1]["line"], 4);
    EXPECT_EQ(unreadable[2]["line"], 7);
    EXPECT_EQ(unreadable[3]["line"], 8);
    static_cast<void>(text(auditShow, {}));
    EXPECT_EQ(exit, Exit::findings);
    EXPECT_THAT(told, HasSubstr(trail.path() + ":2 is no record"));
    EXPECT_THAT(told, HasSubstr(trail.path() + ":8 has no newline"));
}

TEST_F(AuditShow, MoreThanATableHolds) {
    trail.addReads(5000);
    trail.write();
    const std::string table = text(auditShow, {});
    EXPECT_EQ(std::ranges::count(table, '\n'), 5004 + 2);
}

TEST(AuditRecord, ALibvirtDaemonThatAsksForItselfIsNamed) {
    Json record = {{"keyhold", {{"job", "remoteDispatchSecretGetValue"}, {"elevated", true}}}};
    EXPECT_EQ(rowOf(record)[5], "remoteDispatchSecretGetValue by a libvirt daemon");
    record["keyhold"]["elevated"] = false;
    EXPECT_EQ(rowOf(record)[5], "remoteDispatchSecretGetValue");
    record["keyhold"] = {{"job", "remoteDispatchDomainCreate"}, {"elevated", true}};
    EXPECT_EQ(rowOf(record)[5], "remoteDispatchDomainCreate");
}

} // namespace
} // namespace keyhold::command
