// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/settings_editor.h"

#include "conf/error.h"
#include "os/temporary_directory.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold::command {
namespace {

class Editing : public testing::Test {
  protected:
    void put(const std::string &text) const { std::ofstream(path) << text; }
    [[nodiscard]] std::string content() const {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    [[nodiscard]] mode_t mode() const {
        struct stat status {};
        ::stat(path.c_str(), &status);
        return status.st_mode & 07777;
    }

    TemporaryDirectory folder;
    const std::string path = std::string(folder.path()) + "/secret.conf";
};

TEST_F(Editing, ANewFileIsOfItsOwnerAlone) {
    const mode_t before = ::umask(0);
    EXPECT_TRUE(SettingsEditor(path).write("a = 1\n"));
    ::umask(before);
    EXPECT_EQ(content(), "a = 1\n");
    EXPECT_EQ(mode(), 0600u);
}

TEST_F(Editing, TheModeStays) {
    put("a = 1\n");
    ::chmod(path.c_str(), 0644);
    SettingsEditor editor(path);
    EXPECT_TRUE(editor.write("a = 2\n"));
    EXPECT_TRUE(editor.write("a = 3\n"));
    EXPECT_FALSE(editor.write("a = 3\n"));
    EXPECT_EQ(content(), "a = 3\n");
    EXPECT_EQ(mode(), 0644u);
}

TEST_F(Editing, ALinkIsFollowed) {
    const std::string real = std::string(folder.path()) + "/real";
    std::ofstream(real) << "a = 1\n";
    std::filesystem::create_symlink("real", path);
    EXPECT_TRUE(SettingsEditor(path).write("a = 2\n"));
    EXPECT_TRUE(std::filesystem::is_symlink(path));
    EXPECT_EQ(content(), "a = 2\n");
}

TEST_F(Editing, ALinkToNothingIsRefused) {
    std::filesystem::create_symlink("nothing", path);
    EXPECT_THROW(SettingsEditor{path}, Error);
}

TEST_F(Editing, WhatSomebodyElseWroteStays) {
    put("a = 1\n");
    SettingsEditor editor(path);
    put("a = 2 # theirs\n");
    EXPECT_THROW(editor.write("a = 3\n"), Error);
    EXPECT_EQ(content(), "a = 2 # theirs\n");
}

TEST_F(Editing, OneAtATime) {
    std::optional<SettingsEditor> first(path);
    EXPECT_THROW(SettingsEditor{path}, Error);
    first.reset();
    EXPECT_NO_THROW(SettingsEditor{path});
}

TEST_F(Editing, WhatAKilledRunLeftIsInTheWayOfNothing) {
    std::ofstream(std::string(folder.path()) + "/.secret.conf.keyhold-new") << "half";
    EXPECT_TRUE(SettingsEditor(path).write("a = 1\n"));
    EXPECT_EQ(content(), "a = 1\n");
}

TEST(TemporarySettings, GoAndLeaveWhatWasThere) {
    for (const std::string before :
         {"", "# mine\n", "seal_existing = 0\n", "seal_existing = 0 # off\nb = 1\n"}) {
        const std::string with = temporary_settings::with(before, "seal_existing");
        EXPECT_NE(with.find("seal_existing = 1 # keyhold: "), std::string::npos);
        EXPECT_EQ(temporary_settings::without(with), before);
    }
    EXPECT_EQ(temporary_settings::without("seal_existing = 1\n"), "seal_existing = 1\n");
}

} // namespace
} // namespace keyhold::command
