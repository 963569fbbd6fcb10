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
        words.insert(findingKindName(static_cast<Finding::Kind>(kind)));
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

TEST(Finding, EveryKindOfAStoreIsAVerbAboutAFile) {
    std::set<std::string> texts;
    const int last = static_cast<int>(StoreFinding::Kind::foreignOwner);
    for (int kind = 0; kind <= last; ++kind) {
        const auto found = inWords(
            {{.kind = static_cast<StoreFinding::Kind>(kind), .file = "a.jwe", .reason = "is odd"}},
            "/s");
        EXPECT_EQ(found.at(0).file, kind == 0 ? "/s" : "/s/a.jwe") << kind;
        texts.insert(textOf(found.at(0)));
    }
    EXPECT_EQ(texts.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Finding, NamesWhatItIsAbout) {
    using Kind = StoreFinding::Kind;
    const auto said = [](const StoreFinding &found) {
        return textOf(inWords({found}, "/s").at(0));
    };
    EXPECT_EQ(said({.kind = Kind::damagedValue, .file = "a.base64", .reason = "is not base64"}),
              "damaged: '/s/a.base64' is not base64; put the file right and reload, or set the "
              "value again");
    EXPECT_EQ(said({.kind = Kind::shadowedValue, .file = "a.jwe", .other = "a.base64"}),
              "shadowed: '/s/a.jwe' does not count, because '/s/a.base64' goes before it; remove "
              "the one with the wrong value and reload");
    EXPECT_EQ(said({.kind = Kind::sameUse, .file = "a.xml", .other = "b.xml"}),
              "definition: '/s/a.xml' is not loaded, because '/s/b.xml' has the same use; give it "
              "another use or remove it, and reload");
    EXPECT_EQ(said({.kind = Kind::foreignOwner, .file = "a.xml", .owner = 7, .rightOwner = 0}),
              "owner: '/s/a.xml' belongs to user 7; chown it to 0");
}

} // namespace
} // namespace keyhold::command
