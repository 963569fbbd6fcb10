// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/finding.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

TEST(Finding, EveryKindHasAWordOfItsOwn) {
    std::set<std::string> words;
    const int last = static_cast<int>(Finding::Kind::unchanged);
    for (int kind = 0; kind <= last; ++kind)
        words.insert(nameOf(static_cast<Finding::Kind>(kind)));
    EXPECT_EQ(words.size(), static_cast<std::size_t>(last) + 1);
    EXPECT_FALSE(words.contains(""));
}

TEST(Finding, IsALineAndAnObject) {
    const Finding finding{Finding::Kind::missingKey, "/s/a.jwe", "needs a key"};
    EXPECT_EQ(textOf(finding), "missing-key: '/s/a.jwe' needs a key");
    EXPECT_EQ(jsonOf(finding).dump(),
              R"({"kind":"missing-key","file":"/s/a.jwe","text":"needs a key"})");
    EXPECT_EQ(textOf({Finding::Kind::settings, "", "no key"}), "settings: no key");
}

} // namespace
} // namespace keyhold::command
