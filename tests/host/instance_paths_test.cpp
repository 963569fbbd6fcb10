// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/instance_paths.h"

#include "host/host_fixture.h"

#include <filesystem>

#include <unistd.h>

namespace keyhold {
namespace {

class InstancePathsTest : public WithHost {};

TEST_F(InstancePathsTest, TheSystemInstanceHasThoseOfTheDaemonOfRoot) {
    const InstancePaths paths = InstancePaths::system();
    EXPECT_TRUE(paths.isSystem);
    EXPECT_TRUE(paths.configDirectory.ends_with("/libvirt/secrets"));
    EXPECT_TRUE(paths.stateDirectory.ends_with("/libvirt/secrets"));
    EXPECT_EQ(std::filesystem::path(paths.configDirectory).parent_path() / "secret.conf",
              paths.settingsFile);
}

TEST_F(InstancePathsTest, ASessionHasThoseOfItsUser) {
    const InstancePaths paths = InstancePaths::session();
    EXPECT_FALSE(paths.isSystem);
    EXPECT_TRUE(paths.configDirectory.ends_with("/libvirt/secrets"));
    EXPECT_TRUE(paths.stateDirectory.ends_with("/libvirt/secrets/run"));
    EXPECT_EQ(std::filesystem::path(paths.configDirectory).parent_path() / "secret.conf",
              paths.settingsFile);
    EXPECT_EQ(std::filesystem::path(paths.stateDirectory).parent_path() / "encryption-key",
              builtInKeyPath());
}

TEST_F(InstancePathsTest, AnEmbeddedRootHasItsOwnSettingsOrThoseOfItsUser) {
    const std::string root = directory.path();
    const std::string ofUser = ::geteuid() == 0 ? InstancePaths::system().settingsFile
                                                : InstancePaths::session().settingsFile;
    EXPECT_EQ(ofUser, InstancePaths::embedded(root).settingsFile);
    const std::string own = put("etc/secret.conf", "");
    const InstancePaths paths = InstancePaths::embedded(root);
    EXPECT_EQ(own, paths.settingsFile);
    EXPECT_EQ(root + "/etc/secrets", paths.configDirectory);
    EXPECT_EQ(root + "/run/secrets", paths.stateDirectory);
    EXPECT_FALSE(paths.isSystem);
}

TEST_F(InstancePathsTest, ALinkThatLeadsNowhereIsTheSettingsOfAnEmbeddedRoot) {
    const std::string own = directory.path() + "/etc/secret.conf";
    std::filesystem::create_directories(directory.path() + "/etc");
    std::filesystem::create_symlink("nowhere", own);
    EXPECT_EQ(own, InstancePaths::embedded(directory.path()).settingsFile);
}

} // namespace
} // namespace keyhold
