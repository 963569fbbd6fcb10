// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_on_disk.h"
#include "command/target.h"
#include "conf/error.h"
#include "os/temporary_directory.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace keyhold::command {
namespace {

TEST(Target, AnEmbeddedRootIsNamedByAnyPath) {
    const StoreOnDisk store;
    for (const char *suffix : {"", "/", "/./", "/etc/.."}) {
        TargetChoice choice;
        choice.roots.push_back(store.root() + suffix);
        const Target target = chooseTarget(choice);
        EXPECT_STREQ(target.name(), "embedded");
        EXPECT_EQ(target.paths.configDirectory, store.secrets());
        EXPECT_EQ(target.paths.settingsFile, store.root() + "/etc/secret.conf");
    }
}

TEST(Target, AStoreThatWasNamedMustBeThere) {
    StoreOnDisk store;
    std::filesystem::remove_all(store.secrets());
    EXPECT_THROW(static_cast<void>(chooseTarget(store.choice())), Error);
    EXPECT_THROW(static_cast<void>(chooseTargets(store.choice())), Error);
    EXPECT_EQ(chooseSettings(store.choice()).root, store.root());
}

TEST(Target, OneIsChangedAtATime) {
    const StoreOnDisk store;
    const StoreOnDisk other;
    TargetChoice choice = store.choice();
    choice.roots.push_back(other.root());
    EXPECT_EQ(chooseTargets(choice).size(), 2u);
    EXPECT_THROW(static_cast<void>(chooseTarget(choice)), Error);
}

TEST(Target, OneThatIsNamedTwiceIsOne) {
    const StoreOnDisk store;
    const TemporaryDirectory links;
    const std::string link = links.path() + "/link";
    std::filesystem::create_directory_symlink(store.root(), link);
    TargetChoice choice = store.choice();
    choice.roots.insert(choice.roots.end(), {store.root() + "/", store.root(), link});
    EXPECT_EQ(chooseTargets(choice).size(), 1u);
    EXPECT_EQ(chooseWatched(choice).size(), 1u);
    EXPECT_EQ(chooseTarget(choice).root, store.root());
}

TEST(Target, RootHasNoSession) {
    TargetChoice choice;
    choice.wantsSession = true;
    if (::geteuid() == 0)
        EXPECT_THROW(static_cast<void>(chooseSettings(choice)), Error);
    else
        EXPECT_STREQ(chooseSettings(choice).name(), "session");
}

} // namespace
} // namespace keyhold::command
