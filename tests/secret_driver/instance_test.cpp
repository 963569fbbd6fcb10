// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance.h"

#include "secret_driver/instance_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

using InstanceTest = WithInstances;

fs::perms permissionsOf(const fs::path &path) {
    return fs::status(path).permissions();
}

} // namespace

TEST_F(InstanceTest, PathsAreThoseOfTheStockDriver) {
    EXPECT_EQ(InstancePaths::system().configDirectory, "/etc/libvirt/secrets");
    EXPECT_EQ(InstancePaths::system().stateDirectory, "/run/libvirt/secrets");
    EXPECT_EQ(InstancePaths::embedded("/r").configDirectory, "/r/etc/secrets");
    EXPECT_EQ(InstancePaths::embedded("/r").stateDirectory, "/r/run/secrets");
    EXPECT_TRUE(InstancePaths::session().configDirectory.ends_with("/libvirt/secrets"));
    EXPECT_TRUE(InstancePaths::session().stateDirectory.ends_with("/libvirt/secrets/run"));
}

TEST_F(InstanceTest, MakesWhatIsMissingForItsOwnerAlone) {
    const auto instance = start();
    for (const fs::path path :
         {directory_.path() + "/config", paths().configDirectory, paths().stateDirectory})
        EXPECT_EQ(permissionsOf(path), fs::perms::owner_all) << path;
    EXPECT_TRUE(fs::exists(lockFile()));
}

TEST_F(InstanceTest, LeavesTheModeOfWhatIsThere) {
    fs::create_directories(paths().configDirectory);
    fs::permissions(paths().configDirectory, fs::perms{0770});
    const auto instance = start();
    EXPECT_EQ(permissionsOf(paths().configDirectory), fs::perms{0770});
}

TEST_F(InstanceTest, GivesItsLockBackWhenItGoes) {
    {
        const auto instance = start();
        EXPECT_THROW((void)start(), LockedError);
        EXPECT_TRUE(fs::exists(lockFile())) << "the refusal must not take the first one's lock";
    }
    EXPECT_FALSE(fs::exists(lockFile()));
    EXPECT_NO_THROW((void)start());
}

TEST_F(InstanceTest, AnotherFindsWhatItLeft) {
    {
        const auto instance = start();
        define(*instance, definitionOf(1));
        setValue(*instance, 1, "value");
        define(*instance, definitionOf(2, true));
    }
    const auto instance = start();
    EXPECT_EQ(instance->store().all().size(), 1U);
    EXPECT_EQ(valueOf(*instance, 1), "value");
}

TEST_F(InstanceTest, HoldsTheDaemonWhileItHasAnEphemeralSecret) {
    const auto instance = start();
    define(*instance, definitionOf(1));
    EXPECT_EQ(holds(), 0);
    define(*instance, definitionOf(2, true));
    define(*instance, definitionOf(3, true));
    define(*instance, definitionOf(3, true));
    EXPECT_EQ(holds(), 1);
    undefine(*instance, 2);
    EXPECT_EQ(holds(), 1);
    define(*instance, definitionOf(3));
    EXPECT_EQ(holds(), 0);
    define(*instance, definitionOf(3, true));
    EXPECT_EQ(holds(), 1);
    undefine(*instance, 3);
    EXPECT_EQ(holds(), 0);
}

TEST_F(InstanceTest, HoldsTheDaemonForAnEphemeralSecretThatItFindsInItsStore) {
    fs::create_directories(paths().configDirectory);
    const std::string uuid = uuidOf(1).toString();
    std::ofstream(paths().configDirectory + "/" + uuid + ".xml")
        << "<secret ephemeral='yes'><uuid>" << uuid << "</uuid></secret>";
    const auto instance = start();
    EXPECT_EQ(holds(), 1);
    undefine(*instance, 1);
    EXPECT_EQ(holds(), 0);
}

// It would hang if the instance held a lock of its own then.
TEST_F(InstanceTest, TheHostMayUseTheInstanceWhileItIsTold) {
    struct Host {
        Instance *instance = nullptr;
        std::string calls;

        static void onCall(bool inhibit, void *opaque) {
            auto &self = *static_cast<Host *>(opaque);
            self.calls += inhibit ? "+" : "-";
            (void)self.instance->store().all();
            define(*self.instance, definitionOf(1));
            undefine(*self.instance, 1);
            self.instance->reload();
        }
    } host;
    Inhibitor inhibitor(Host::onCall, &host);
    Instance instance(paths(), inhibitor);
    host.instance = &instance;
    define(instance, definitionOf(2, true));
    undefine(instance, 2);
    const std::string uuid = uuidOf(3).toString();
    std::ofstream(paths().configDirectory + "/" + uuid + ".xml")
        << "<secret ephemeral='yes'><uuid>" << uuid << "</uuid></secret>";
    instance.reload();
    EXPECT_EQ(host.calls, "+-+");
    undefine(instance, 3);
    EXPECT_EQ(host.calls, "+-+-");
}

TEST_F(InstanceTest, TellsWatchersOfChangesAndOfWhatAReloadFinds) {
    const auto instance = start();
    define(*instance, definitionOf(1));
    Watch::deliver();
    const Watch watch(*instance);
    define(*instance, definitionOf(2));
    undefine(*instance, 1);
    fs::remove(paths().configDirectory + "/" + uuidOf(2).toString() + ".xml");
    const std::string uuid = uuidOf(3).toString();
    std::ofstream(paths().configDirectory + "/" + uuid + ".xml")
        << "<secret><uuid>" << uuid << "</uuid></secret>";
    instance->reload();
    Watch::deliver();
    EXPECT_EQ(watch.lines(),
              (std::vector<std::string>{"2 defined", "1 undefined", "2 undefined", "3 defined"}));
}

TEST_F(InstanceTest, MayGoOnAThreadOfItsOwnWhileWatchersAreLeft) {
    Watch::deliver();
    auto instance = std::make_shared<Instance>(paths(), inhibitor_);
    {
        const Watch watch(*instance);
        define(*instance, definitionOf(1));
    }
    std::thread([last = std::move(instance)]() mutable { last.reset(); }).join();
    EXPECT_FALSE(fs::exists(lockFile()));
    Watch::deliver();
}

} // namespace keyhold
