// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/repeated_reasons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using Kind = Finding::Kind;
using testing::ElementsAre;

constexpr const char *kLost = "cannot open key file '/k': No such file or directory; put it back";

std::string lost(const char *consequence) {
    return std::string(consequence) + ": " + kLost;
}

std::vector<std::string> withoutRepeated(std::vector<Finding> findings) {
    removeRepeatedReasons(findings);
    std::vector<std::string> texts;
    for (const Finding &each : findings)
        texts.push_back(each.text);
    return texts;
}

TEST(RepeatedReasons, ValuesThatNeedALostKeyAreAllThatIsLeft) {
    const std::string of = "is sealed with key 'K', which is not among those that could be read: ";
    EXPECT_THAT(withoutRepeated({{Kind::missingKey, {}, lost("libvirtd lacks keys")},
                                 {Kind::refused, {}, lost("libvirtd refuses new values")},
                                 {Kind::settings, {}, lost("new values cannot be stored")},
                                 {Kind::missingKey, "/a", of + kLost},
                                 {Kind::missingKey, "/b", of + kLost},
                                 {Kind::refused, {}, lost("new values are refused")}}),
                ElementsAre(of + kLost + "; new values are refused, too",
                            of + kLost + "; new values are refused, too"));
}

TEST(RepeatedReasons, WhereNothingIsSealedTheRefusalIsLeft) {
    EXPECT_THAT(withoutRepeated({{Kind::missingKey, {}, lost("libvirtd lacks keys")},
                                 {Kind::refused, {}, lost("libvirtd refuses new values")},
                                 {Kind::settings, {}, lost("new values cannot be stored")},
                                 {Kind::refused, {}, lost("new values are refused")}}),
                ElementsAre(lost("libvirtd refuses new values")));
}

TEST(RepeatedReasons, ARefusalMayHaveARemedyOfItsOwn) {
    const std::string of = "is sealed with key 'K', which is not among those that could be read: ";
    EXPECT_THAT(withoutRepeated({{Kind::settings, {}, lost("new values cannot be stored") + "; x"},
                                 {Kind::missingKey, {}, lost("libvirtd lacks keys")},
                                 {Kind::missingKey, "/a", of + kLost},
                                 {Kind::refused, {}, lost("new values are refused") + "; x"}}),
                ElementsAre(of + kLost + "; new values are refused, too"));
    const std::string both = lost("libvirtd lacks keys") + "; and so is '/m'";
    EXPECT_THAT(withoutRepeated({{Kind::missingKey, {}, both},
                                 {Kind::refused, {}, lost("new values are refused") + "; x"}}),
                ElementsAre(both, lost("new values are refused") + "; x"));
}

TEST(RepeatedReasons, OneOfTwoLostKeysIsAReasonOfItsOwn) {
    const std::string both = "libvirtd lacks keys: key 1 is gone; key 2 is gone";
    EXPECT_THAT(withoutRepeated({{Kind::missingKey, {}, both},
                                 {Kind::settings, {}, "values cannot be read: key 1 is gone"},
                                 {Kind::settings, {}, "values cannot be read: key 3 is gone"}}),
                ElementsAre(both, "values cannot be read: key 3 is gone"));
}

TEST(RepeatedReasons, OtherFindingsStay) {
    const std::vector<Finding> others{{Kind::damaged, "/a", lost("x")},
                                      {Kind::driver, {}, lost("x")},
                                      {Kind::settings, {}, "without a colon"},
                                      {Kind::settings, "/file", lost("x")}};
    auto left = others;
    removeRepeatedReasons(left);
    EXPECT_EQ(left, others);
}

} // namespace
} // namespace keyhold::command
