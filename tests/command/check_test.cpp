// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check.h"
#include "command/libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using Kind = Finding::Kind;

CheckedStore storeWith(std::vector<Cause> causes) {
    return {{Target::Kind::system, {"/s|\"", "", "", true}, {}}, {}, {}, {}, std::move(causes), {}};
}

TEST(CheckSeverity, CriticalGoesBeforeUnknownAndThatBeforeWarning) {
    EXPECT_EQ(worstOf({}), Severity::good);
    std::vector<Cause> causes{{{Kind::mode, "a", "m"}, 1}, {{Kind::unseen, "a", "u"}, 1}};
    EXPECT_EQ(worstOf(causes), Severity::unknown);
    causes.push_back({{Kind::damaged, "a", "d"}, 1});
    EXPECT_EQ(worstOf(causes), Severity::critical);
    sortBySeverity(causes);
    EXPECT_EQ(causes.front().first.kind, Kind::damaged);
    EXPECT_EQ(causes.back().first.kind, Kind::mode);
}

TEST(CheckSpace, IsLittleByShareAndByNumber) {
    constexpr std::uint64_t kGiB = 1024ULL * 1024 * 1024;
    EXPECT_TRUE(findingsOf({kGiB, 1000 * kGiB, 0, 0}, "/s").empty());
    EXPECT_TRUE(findingsOf({0, 0, 0, 0}, "/s").empty());
    const auto little = findingsOf({kGiB / 64, kGiB, 500, 100000}, "/s");
    ASSERT_EQ(little.size(), 2u);
    EXPECT_EQ(little[0].kind, Kind::littleSpace);
    EXPECT_EQ(little[1].kind, Kind::fewInodes);
    const auto full = findingsOf({0, kGiB, 0, 100000}, "/s");
    ASSERT_EQ(full.size(), 2u);
    EXPECT_EQ(full[0].kind, Kind::noSpace);
    EXPECT_EQ(full[1].kind, Kind::noInodes);
}

TEST(CheckLibraries, TheLinkersListIsUnderstood) {
    EXPECT_TRUE(missingIn("m", "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n", 0).empty());
    const auto missing = missingIn("m", "\tlibx.so.1 => not found\n", 0);
    ASSERT_EQ(missing.size(), 1u);
    EXPECT_THAT(missing[0].text, testing::StartsWith("needs libx.so.1,"));
    EXPECT_EQ(missingIn("m", "m: file too short\n", 127).front().kind, Kind::library);
    EXPECT_EQ(missingIn("m", "", -1).front().kind, Kind::unseen);
}

TEST(CheckForms, WhatIsUnknownIsNoNumber) {
    const std::vector<CheckedStore> stores{storeWith({{{Kind::unseen, "/a|b", "u"}, 1}})};
    const std::string metrics = prometheusText(stores);
    EXPECT_THAT(metrics, testing::HasSubstr("directory=\"/s|\\\"\"} 3\n"));
    EXPECT_THAT(metrics, testing::Not(testing::HasSubstr("keyhold_secrets")));
    EXPECT_EQ(nagiosText(stores),
              "KEYHOLD UNKNOWN - unseen: '/a/b' u\nunknown: unseen: '/a/b' u\n");
}

TEST(CheckFindings, CopiesOfPlainValuesAreToldApart) {
    std::vector<Finding> findings{{Kind::aside, "/x.base64/u.jwe.aside-1", "t"},
                                  {Kind::unknown, "/s/u.base64.bak", "t"},
                                  {Kind::damaged, "/s/u.base64", "t"}};
    notePlainCopies(findings);
    EXPECT_EQ(findings[0].kind, Kind::aside);
    EXPECT_EQ(findings[1].kind, Kind::plainCopy);
    EXPECT_EQ(findings[2].kind, Kind::damaged);
}

} // namespace
} // namespace keyhold::command
