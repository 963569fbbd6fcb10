// SPDX-License-Identifier: LGPL-2.1-or-later
// A daemon's instance whose store another process has: it is there, reads, says who is in the way
// of changes, and makes them once it is not.
#include "os/child.h"
#include "os/lock_holder.h"
#include "secret_driver/instance_fixture.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>

namespace keyhold {

namespace {

class LockedOutInstance : public WithInstances {
  protected:
    void SetUp() override {
        WithInstances::SetUp();
        const auto instance = start();
        define(*instance, definitionOf(1));
        setValue(*instance, 1, "kept");
    }

    /// As calls of clients make changes.
    static void change(Instance &instance, const std::function<void()> &work) {
        instance.prepareChange();
        work();
        instance.announce();
    }

    /// A process that comes to the directory in another way.
    [[nodiscard]] std::unique_ptr<Child> lockDirectoryElsewhere() const {
        return std::make_unique<Child>([this] {
            const int descriptor = ::open(paths().configDirectory.c_str(), O_RDONLY | O_CLOEXEC);
            return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
        });
    }
    /// A process of this name that takes the lock in the state directory.
    [[nodiscard]] std::unique_ptr<Child> lockState(const char *name) const {
        return std::make_unique<Child>([this, name] {
            ::prctl(PR_SET_NAME, name);
            try {
                static_cast<void>(new StoreLock(posixFileSystem(), paths().stateDirectory));
            } catch (const LockedError &) {
                return false;
            }
            return true;
        });
    }

    static void expectLockedOut(Instance &instance, pid_t holder) {
        EXPECT_EQ(valueOf(instance, 1), "kept");
        const auto expectNamed = [&](const auto &call) {
            const std::string message = messageOf([&] { change(instance, call); });
            EXPECT_NE(message.find("in use by " + processText(holder) + "; try again once"),
                      std::string::npos)
                << message;
        };
        expectNamed([&] { define(instance, definitionOf(2)); });
        expectNamed([&] { setValue(instance, 1, "new"); });
        expectNamed([&] { undefine(instance, 1); });
        change(instance, [&] { define(instance, definitionOf(7, true)); });
        change(instance, [&] { undefine(instance, 7); });
        EXPECT_EQ(valueOf(instance, 1), "kept");
    }

    static void expectUnlocked(Instance &instance) {
        change(instance, [&] { setValue(instance, 1, "new"); });
        EXPECT_EQ(valueOf(instance, 1), "new");
    }
};

TEST_F(LockedOutInstance, ReadsUntilItsFirstChangeOnceTheHolderHasEnded) {
    auto holder = lockDirectoryElsewhere();
    ASSERT_TRUE(holder->succeeded());
    const auto instance = start();
    expectLockedOut(*instance, holder->pid());

    holder.reset();
    // Another one comes and changes the files.
    holder = lockDirectoryElsewhere();
    expectLockedOut(*instance, holder->pid());
    holder.reset();
    std::filesystem::remove(paths().configDirectory + "/" + uuidOf(1).toString() + ".base64");
    Watch watch(*instance);
    change(*instance, [&] { define(*instance, definitionOf(2)); });
    EXPECT_EQ(valueOf(*instance, 1), "none") << "it reads what the other left";
    Watch::deliver();
    EXPECT_EQ(watch.lines(), std::vector<std::string>{"2 defined"});
    expectUnlocked(*instance);
    EXPECT_FALSE(lockDirectoryElsewhere()->succeeded()) << "and keeps others away";
}

TEST_F(LockedOutInstance, ReadsUntilAReloadOnceTheHolderHasEnded) {
    auto holder = lockDirectoryElsewhere();
    const auto instance = start();
    instance->reload();
    expectLockedOut(*instance, holder->pid());
    holder.reset();
    instance->reload();
    EXPECT_FALSE(lockDirectoryElsewhere()->succeeded());
    expectUnlocked(*instance);
}

// Whoever changes the key looks for those who hold the store.
TEST_F(LockedOutInstance, ReadsItsSettingsAgainBeforeItsFirstChange) {
    auto holder = lockDirectoryElsewhere();
    const auto instance = start();
    expectLockedOut(*instance, holder->pid());
    const std::string key = directory_.path() + "/key";
    std::ofstream(key) << std::string(32, 'k');
    std::filesystem::permissions(key, std::filesystem::perms{0600});
    std::ofstream(paths().settingsFile) << "secrets_encryption_key = \"" << key << "\"\n";
    holder.reset();
    expectUnlocked(*instance);
    const std::string file = paths().configDirectory + "/" + uuidOf(1).toString();
    EXPECT_TRUE(std::filesystem::exists(file + ".jwe"));
    EXPECT_FALSE(std::filesystem::exists(file + ".base64"));
}

// What the holder has begun is not for others to put right.
TEST_F(LockedOutInstance, LeavesTheFilesOfChangesInProgressAlone) {
    const std::string staged =
        paths().configDirectory + "/" + uuidOf(1).toString() + ".base64.keyhold-new";
    auto holder = lockDirectoryElsewhere();
    std::ofstream(staged) << "half";
    const auto instance = start();
    instance->reload();
    EXPECT_TRUE(std::filesystem::exists(staged));
    holder.reset();
    instance->reload();
    EXPECT_FALSE(std::filesystem::exists(staged));
}

TEST_F(LockedOutInstance, StartsBesideOurCommand) {
    auto command = lockState("keyhold");
    const auto instance = start();
    expectLockedOut(*instance, command->pid());
    command.reset();
    expectUnlocked(*instance);
    EXPECT_FALSE(lockState("other")->succeeded());
}

TEST_F(LockedOutInstance, DoesNotStartBesideAnotherDriver) {
    const auto other = lockState("libvirtd");
    EXPECT_THROW((void)start(), LockedError);
}

} // namespace

} // namespace keyhold
