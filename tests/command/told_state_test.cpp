// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/told_state.h"

#include "conf/error.h"

#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

DriverReport example() {
    DriverReport report;
    report.settings.path = "/etc/libvirt/\"odd\".conf";
    FileStatus file;
    file.device = 5;
    file.inode = 6;
    file.size = 7;
    file.changed = 8;
    report.settings.file = file;
    report.settingsRead = 9;
    report.newValues = DriverReport::NewValues::refused;
    report.whyRefused = "no key";
    report.keys = {"a", "b"};
    report.hasCurrentKey = true;
    report.missingKeys = "one";
    report.keyMemory = "locked";
    report.directoryStatus.inode = 11;
    report.failure = "held";
    report.counts =
        DriverReport::Counts{9, 8, 7, 6, 5, 4, 3, {{"a \"key\"", 2}, {"", 1}}, {{"a", "b"}}};
    report.toReencrypt = 12;
    report.isReencrypting = true;
    report.lastReencryption = {13, 14, 15};
    return report;
}

TEST(ToldState, IsWhatTheDriverWrote) {
    const DriverReport report = example();
    const ToldState told = toldStateOf(jsonOf(report));
    EXPECT_EQ(told.pid, ::getpid());
    EXPECT_EQ(jsonOf(told.report), jsonOf(report));
}

TEST(ToldState, OfADriverThatTellsLess) {
    Json json = Json::parse(jsonOf(example()));
    for (const char *member :
         {"plain", "aes256cbc", "sealed", "unreadableByKey", "storedWithoutValue"})
        json["counts"].erase(member);
    json["reencryption"].erase("last");
    const ToldState told = toldStateOf(json.dump());
    EXPECT_EQ(told.report.counts->unreadable, 6U);
    EXPECT_TRUE(told.report.counts->unreadableByKey.empty());
    EXPECT_FALSE(told.report.counts->storedWithoutValue);
    EXPECT_FALSE(told.report.lastReencryption);
}

TEST(ToldState, OfAnotherVersionOrNoJsonIsRefused) {
    Json json = Json::parse(jsonOf(example()));
    json["schema"] = DriverReport::kSchema + 1;
    EXPECT_THROW(static_cast<void>(toldStateOf(json.dump())), Error);
    EXPECT_THROW(static_cast<void>(toldStateOf("{}")), Error);
    EXPECT_THROW(static_cast<void>(toldStateOf("{\"schema\": \"1\"}")), Error);
    EXPECT_THROW(static_cast<void>(toldStateOf("[]")), Error);
    EXPECT_THROW(static_cast<void>(toldStateOf("")), Error);
}

TEST(ToldState, NamesTheProcessOfTheInnermostNamespace) {
    const std::string stat = "70 (a) b) S 1 70 70 0 -1 4 0 0 0 0 1 2 0 0 20 0 9 0 4711 5 6\n";
    EXPECT_EQ(identityIn("Name:\tx\nNSpid:\t70\t12\t3\nNSpgid:\t1\n", stat),
              (ProcessIdentity{3, 4711}));
    EXPECT_EQ(identityIn("NSpid:\t70\n", stat), (ProcessIdentity{70, 4711}));
    EXPECT_EQ(identityIn("", ""), (ProcessIdentity{0, 0}));
}

} // namespace
} // namespace keyhold::command
