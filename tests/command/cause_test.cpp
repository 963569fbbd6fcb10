// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/cause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

using Kind = Finding::Kind;

TEST(Causes, OneThingThatIsToBlameIsOneLine) {
    std::vector<Finding> findings;
    for (int n = 0; n < 51; ++n)
        findings.push_back({Kind::missingKey, "/s/" + std::to_string(n), "needs key K"});
    findings.push_back({Kind::missingKey, "/s/x", "needs key L"});
    const auto causes = causesOf(findings);
    ASSERT_EQ(causes.size(), 2u);
    EXPECT_EQ(textOf(causes[0]), "missing-key: '/s/0' and 50 more: needs key K");
    EXPECT_EQ(textOf(causes[1]), "missing-key: '/s/x' needs key L");
    EXPECT_EQ(jsonOf(causes)[0].dump(),
              R"({"kind":"missing-key","count":51,"text":"needs key K","file":"/s/0"})");
}

TEST(Causes, TheWorstComeFirst) {
    const auto causes = causesOf({{Kind::mode, "a", "m"},
                                  {Kind::leftover, "a", "l"},
                                  {Kind::settings, "", "s"},
                                  {Kind::damaged, "a", "d"},
                                  {Kind::missingKey, "a", "k"},
                                  {Kind::missingKey, "b", "k"}});
    std::vector<Kind> kinds;
    for (const Cause &cause : causes)
        kinds.push_back(cause.first.kind);
    EXPECT_THAT(kinds, testing::ElementsAre(Kind::missingKey, Kind::damaged, Kind::settings,
                                            Kind::leftover, Kind::mode));
}

TEST(Causes, WhatOnlyTheFilesDifferInIsOneCause) {
    using Of = StoreFinding::Kind;
    for (const Of kind : {Of::unreadableDefinition, Of::definesAnother, Of::sameUse,
                          Of::unreadableFile, Of::damagedValue, Of::shadowedValue}) {
        const auto words =
            inWords({{.kind = kind, .file = "a", .reason = "x", .cause = "is odd", .other = "x"},
                     {.kind = kind, .file = "b", .reason = "y", .cause = "is odd", .other = "y"}},
                    "/s");
        EXPECT_EQ(causesOf(words).size(), 1u) << static_cast<int>(kind);
    }
}

TEST(Causes, DamageIsOneCauseWithItsReasonAndRemedy) {
    using Of = StoreFinding::Kind;
    const auto damaged = [](const char *file, const char *why) {
        return StoreFinding{.kind = Of::damagedValue, .file = file, .reason = why, .cause = why};
    };
    const auto causes = causesOf(inWords(
        {damaged("a", "was altered"), damaged("b", "was cut"), damaged("c", "was altered")}, "/s"));
    ASSERT_EQ(causes.size(), 2u);
    EXPECT_EQ(textOf(causes[0]), "damaged: '/s/a' and 1 more: was altered; put the file right and "
                                 "reload, or set the value again");
    EXPECT_EQ(causes[1].count, 1u);
}

TEST(Causes, EveryFileOnDemand) {
    const std::vector<Finding> findings{{Kind::mode, "a", "m"}, {Kind::mode, "b", "m"}};
    testing::internal::CaptureStdout();
    printCauses(findings, true, "  ");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "  mode: 'a' m\n  mode: 'b' m\n");
    testing::internal::CaptureStdout();
    printCauses(findings, false);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "mode: 'a' and 1 more: m\n");
}

} // namespace
} // namespace keyhold::command
