// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/settings_notes.h"

#include "conf/conf_edit.h"

#include <gtest/gtest.h>

namespace keyhold::command::settings_notes {
namespace {

TEST(SettingsNotes, EachIsReadBackAndTakenForNoOther) {
    constexpr const char *kSetting = "secrets_encryption_key";
    const auto written = [&](const std::string &note) {
        return std::string(noteOf(withStatement("a = 1\n", kSetting, "\"/k\"", note), kSetting));
    };
    EXPECT_EQ(rotationIn(written(ofRotationTo("/a b/k.key"))), "/a b/k.key");
    EXPECT_EQ(keyIn(written(ofKey("some-id"))), "some-id");
    EXPECT_EQ(keyIn(written(ofNewKey("some-id"))), "some-id");
    EXPECT_TRUE(isOfNewKey(written(ofNewKey("some-id"))));
    EXPECT_FALSE(isOfNewKey(ofKey("some-id")));
    EXPECT_EQ(written(kRotating), kRotating);
    EXPECT_FALSE(keyIn(ofRotationTo("/k")));
    EXPECT_FALSE(rotationIn(ofKey("some-id")));
    EXPECT_FALSE(rotationIn(kRotating));
    EXPECT_FALSE(keyIn(kRotating));
    EXPECT_FALSE(keyIn("# mine"));
}

} // namespace
} // namespace keyhold::command::settings_notes
