// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/report.h"

#include "command/settings_notes.h"
#include "command/store_on_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Reports : public testing::Test {
  protected:
    std::string run(Exit (*what)(const ReportOptions &), bool json = false) {
        testing::internal::CaptureStdout();
        exit = what({store.choice(), {}, json});
        return testing::internal::GetCapturedStdout();
    }

    StoreOnDisk store;
    Exit exit = Exit::failure;
};

TEST_F(Reports, StatusForPeople) {
    store.addPlain(1, "value");
    store.addSealed(2, "value", 7);
    store.addSealed(3, "value", 8);
    store.configure(store.keyLine(7));
    EXPECT_THAT(run(status), AllOf(HasSubstr("embedded: " + store.secrets()), HasSubstr("nobody"),
                                   HasSubstr("1 with key " + keyIdOf(7) + " (current)"),
                                   HasSubstr("1 with key " + keyIdOf(8) + " (not configured)"),
                                   HasSubstr("missing-key: ")));
    EXPECT_EQ(exit, Exit::clean);
}

TEST_F(Reports, StatusForMachines) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    EXPECT_EQ(Json::parse(run(status, true))["stores"][0]["newValues"], "sealed");
    const LockingProcess process(store.target().paths.stateDirectory);
    const Json said = Json::parse(run(status, true))["stores"][0];
    EXPECT_EQ(said["newValues"], "unknown"); // that process does not say
    EXPECT_EQ(said["newValuesBySettings"], "sealed");
    EXPECT_EQ(said["currentKey"], keyIdOf(7));
    EXPECT_EQ(said["sealed"][keyIdOf(7)], 1);
    EXPECT_EQ(said["holder"]["pid"], process.pid());
    EXPECT_EQ(said["holder"]["driver"], "unknown");
}

TEST_F(Reports, NewValuesByTheSettings) {
    EXPECT_EQ(Json::parse(run(status, true))["stores"][0]["newValues"], "plain");
    store.configure("secrets_encryption_key = \"/nowhere/key\"\n");
    EXPECT_EQ(Json::parse(run(status, true))["stores"][0]["newValues"], "refused");
}

TEST_F(Reports, VerifyExitsByWhatItFinds) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    EXPECT_THAT(run(verify), HasSubstr("1 secret, 0 findings"));
    EXPECT_EQ(exit, Exit::clean);
    store.configure("");
    EXPECT_THAT(run(verify), AllOf(HasSubstr("missing-key: '"), HasSubstr("1 finding")));
    EXPECT_EQ(exit, Exit::findings);
    EXPECT_EQ(Json::parse(run(verify, true))["stores"][0]["findings"][0]["kind"], "missing-key");
}

TEST_F(Reports, VerifyHasOneLineForALostKey) {
    store.addSealed(1, "value", 7);
    store.configure("secrets_encryption_key = \"/nowhere/key\"\n");
    EXPECT_THAT(run(verify), AllOf(HasSubstr("missing-key: '"), HasSubstr("'/nowhere/key'"),
                                   HasSubstr("1 secret, 1 finding\n")));
}

TEST_F(Reports, StatusSaysWhatAnEncryptOffLeft) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7) + "encrypt_data = 0 " + settings_notes::kSwitchingOff + "\n");
    EXPECT_THAT(run(status), HasSubstr("  unfinished: 1 value is still encrypted; "));
}

class ServedValues : public testing::Test {
  protected:
    ServedValues() {
        report.holder.emplace().pid = 1;
        report.holder->name = "libvirtd";
        report.inspection.secrets = 3;
        for (const char *key : {"K", "L"})
            report.inspection.findings.push_back({.kind = StoreFinding::Kind::missingKey,
                                                  .file = std::string(key) + ".jwe",
                                                  .reason = "is sealed",
                                                  .keyId = key});
        report.inspection.findings.push_back(
            {.kind = StoreFinding::Kind::damagedValue, .file = "a", .reason = "x", .cause = "x"});
    }
    DriverReport &driver() {
        if (!report.driver.told)
            report.driver.told.emplace();
        return report.driver.told->report;
    }
    /// For each finding.
    [[nodiscard]] std::vector<bool> isSaid() const {
        std::vector<bool> said;
        for (const Finding &finding : report.findings())
            said.push_back(finding.text.ends_with("; libvirtd (process 1) still serves the value "
                                                  "that it read before, until it ends"));
        return said;
    }

    Report report;
};

TEST_F(ServedValues, AreSaidWhereTheDriverCountsTheSameSecretsAndNoneUnreadable) {
    EXPECT_THAT(isSaid(), ElementsAre(false, false, false));
    auto &counts = driver().counts.emplace();
    counts.secrets = 4;
    counts.ephemeral = 1;
    EXPECT_THAT(isSaid(), ElementsAre(true, true, true));
    counts.secrets = 3; // it has not read them all
    EXPECT_THAT(isSaid(), ElementsAre(false, false, false));
    driver().counts.reset();
    EXPECT_THAT(isSaid(), ElementsAre(false, false, false));
}

TEST_F(ServedValues, AreToldApartByTheirKey) {
    auto &counts = driver().counts.emplace();
    counts.secrets = 3;
    counts.unreadable = 1;
    counts.unreadableByKey["L"] = 1;
    EXPECT_THAT(isSaid(), ElementsAre(true, false, false));
    for (std::size_t n = 0; n < DriverReport::kMaxMissingKeys; ++n)
        counts.unreadableByKey[std::to_string(n)] = 1;
    EXPECT_THAT(isSaid(), ElementsAre(false, false, false)); // others are not told apart
}

TEST(ExchangedKeys, ExplainTheValuesThatNeedTheKey) {
    using Kind = Finding::Kind;
    std::vector<Finding> findings{{Kind::missingKey, "a", "in whatever words", {}, "K"},
                                  {Kind::missingKey, "b", "is sealed with key 'K'", {}, "L"}};
    explainExchangedKey({"there", "K", "'k' holds the key there"}, findings);
    EXPECT_EQ(findings.at(0).text,
              "is sealed with key 'K', which is not there: 'k' holds the key there");
    EXPECT_EQ(findings.at(1).text, "is sealed with key 'K'");
    EXPECT_EQ(findings.size(), 2U);
}

} // namespace
} // namespace keyhold::command
