// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/embedded_roots.h"

#include "os/child.h"
#include "os/lock_holder.h"
#include "secret_driver/instance_fixture.h"

#include <barrier>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

class EmbeddedRootsTest : public WithInstances {
  protected:
    [[nodiscard]] std::string path(const std::string &name) const {
        return directory_.path() + "/" + name;
    }
    [[nodiscard]] static std::string lockFileOf(const std::string &root) {
        return InstancePaths::embedded(root).stateDirectory + "/driver.pid";
    }
    [[nodiscard]] std::string findMessage(const std::optional<std::string> &root) {
        return messageOf([&] { (void)roots_.find(root); });
    }

    EmbeddedRoots roots_{inhibitor_};
};

} // namespace

TEST_F(EmbeddedRootsTest, MakeWhatIsMissingAndTakeTheLock) {
    const auto opened = roots_.open(path("a/b/root"));
    EXPECT_TRUE(fs::is_directory(path("a/b/root/etc/secrets")));
    EXPECT_TRUE(fs::exists(lockFileOf(path("a/b/root"))));
    EXPECT_EQ(opened.root->spelling(), path("a/b/root"));
    EXPECT_EQ(opened.root->current(), opened.instance);
}

TEST_F(EmbeddedRootsTest, AreToldApartByDirectoryAndNotBySpelling) {
    fs::create_directory(path("root"));
    fs::create_directory_symlink("root", path("link"));
    const auto first = roots_.open(path("root"));
    for (const std::string &spelling :
         {path("root"), path("root/"), path("./root/."), path("link"), path("root/etc/..")}) {
        const auto again = roots_.open(spelling);
        EXPECT_EQ(again.root, first.root) << spelling;
        EXPECT_EQ(again.instance, first.instance) << spelling;
        EXPECT_EQ(again.root->spelling(), path("root")) << spelling;
    }
    const auto other = roots_.open(path("other"));
    EXPECT_NE(other.root, first.root);
    EXPECT_NE(other.instance, first.instance);
}

TEST_F(EmbeddedRootsTest, ReleaseAnInstanceWithItsLastReferenceAndOpenItAnew) {
    auto first = roots_.open(path("root"));
    auto second = roots_.open(path("root"));
    define(*first.instance, definitionOf(1));
    first.instance.reset();
    EXPECT_TRUE(fs::exists(lockFileOf(path("root"))));
    second.instance.reset();
    EXPECT_FALSE(fs::exists(lockFileOf(path("root"))));
    EXPECT_EQ(first.root->current(), nullptr);

    const auto again = roots_.open(path("root"));
    EXPECT_EQ(again.root, first.root);
    EXPECT_EQ(again.instance->store().all().size(), 1U);
}

TEST_F(EmbeddedRootsTest, RefuseALockedRootWithoutSpoilingItOrOthers) {
    fs::create_directories(InstancePaths::embedded(path("locked")).stateDirectory);
    auto lock = std::make_unique<StoreLock>(posixFileSystem(),
                                            InstancePaths::embedded(path("locked")).stateDirectory);
    EXPECT_EQ(messageOf([&] { (void)roots_.open(path("locked")); }),
              "Failed to acquire pid file '" + lockFileOf(path("locked")) +
                  "': Resource temporarily unavailable");
    EXPECT_NE(roots_.open(path("free")).instance, nullptr);
    EXPECT_THROW((void)roots_.open(path("locked")), LockedError);
    lock.reset();
    EXPECT_NE(roots_.open(path("locked")).instance, nullptr);
}

TEST_F(EmbeddedRootsTest, RefuseARootWhoseDirectoryAnotherProcessHas) {
    const InstancePaths paths = InstancePaths::embedded(path("root"));
    fs::create_directories(paths.configDirectory);
    auto holder = std::make_unique<Child>([&] {
        const int descriptor = ::open(paths.configDirectory.c_str(), O_RDONLY | O_CLOEXEC);
        return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    });
    ASSERT_TRUE(holder->succeeded());
    EXPECT_EQ(messageOf([&] { (void)roots_.open(path("root")); }),
              "cannot lock directory '" + paths.configDirectory + "', which is in use by " +
                  processText(holder->pid()) +
                  "; try again once that has ended: Resource temporarily unavailable");
    EXPECT_FALSE(fs::exists(lockFileOf(path("root"))));
    holder.reset();
    EXPECT_NE(roots_.open(path("root")).instance, nullptr);
}

TEST(EmbeddedRoot, IsNotADirectoryThatGotItsInode) {
    FileStatus directory;
    directory.device = 1;
    directory.inode = 2;
    directory.born = 3;
    const EmbeddedRoot root("/root", directory);
    EXPECT_TRUE(root.isDirectory(directory));
    directory.changed = 5;
    EXPECT_TRUE(root.isDirectory(directory));
    directory.born = 4;
    EXPECT_FALSE(root.isDirectory(directory));
}

TEST_F(EmbeddedRootsTest, OneThatIsOpenIsTheSameWithAnotherTimeOfBirth) {
    auto opened = roots_.open(path("root"));
    FileStatus directory;
    ASSERT_EQ(
        0, posixFileSystem().statusAt(
               AT_FDCWD, InstancePaths::embedded(path("root")).configDirectory.c_str(), directory));
    ++directory.born; // as on overlayfs once its files change
    EXPECT_TRUE(opened.root->isDirectory(directory));
    opened.instance.reset();
    EXPECT_FALSE(opened.root->isDirectory(directory));
}

TEST_F(EmbeddedRootsTest, OneThatWasRemovedAndMadeAgainIsAnotherOne) {
    const auto first = roots_.open(path("root")).root;
    fs::remove_all(path("root"));
    EXPECT_NE(roots_.open(path("root")).root, first);
}

TEST_F(EmbeddedRootsTest, OfTwoRootsWithOneLockOnlyOneIsOpen) {
    fs::create_directories(path("a/run"));
    fs::create_directories(path("b"));
    fs::create_directory_symlink(path("a/run"), path("b/run"));
    auto a = roots_.open(path("a"));
    EXPECT_THROW((void)roots_.open(path("b")), LockedError);
    EXPECT_TRUE(fs::exists(lockFileOf(path("a"))));
    a.instance.reset();
    EXPECT_NE(roots_.open(path("b")).instance, nullptr);
}

TEST_F(EmbeddedRootsTest, ARootThatIsNoDirectoryIsRefusedAndOpensOnceItIsOne) {
    std::ofstream(path("file")) << "x";
    EXPECT_EQ(messageOf([&] { (void)roots_.open(path("file")); }),
              "cannot create config directory '" + path("file") + "/etc/secrets': Not a directory");
    fs::remove(path("file"));
    EXPECT_NE(roots_.open(path("file")).instance, nullptr);
}

TEST_F(EmbeddedRootsTest, FindTheSameRootAmongSeveralHoweverItIsSpelled) {
    fs::create_directory(path("a"));
    fs::create_directory_symlink("a", path("link"));
    const auto a = roots_.open(path("a"));
    const auto b = roots_.open(path("b"));
    EXPECT_EQ(roots_.find(path("link")), a.instance);
    EXPECT_EQ(roots_.find(path("b/")), b.instance);
}

TEST_F(EmbeddedRootsTest, FindTheOnlyOneThatIsOpen) {
    auto a = roots_.open(path("a"));
    auto b = roots_.open(path("b"));
    b.instance.reset();
    EXPECT_EQ(roots_.find(std::nullopt), a.instance);
    EXPECT_EQ(roots_.find(path("elsewhere")), a.instance);
    EXPECT_EQ(roots_.find(path("b")), a.instance);
    EXPECT_FALSE(fs::exists(path("elsewhere"))) << "a search makes no directories";
}

TEST_F(EmbeddedRootsTest, NameTheRootsWhereThereIsNoneOrAChoice) {
    const std::string asked = path("asked");
    EXPECT_NE(findMessage(std::nullopt).find("none is open"), std::string::npos);
    EXPECT_NE(findMessage(asked).find("'" + asked + "'"), std::string::npos);
    const auto a = roots_.open(path("a"));
    const auto b = roots_.open(path("b"));
    for (const auto &root : {std::optional<std::string>(), std::optional(asked)}) {
        const std::string message = findMessage(root);
        EXPECT_NE(message.find("'" + path("a") + "'"), std::string::npos) << message;
        EXPECT_NE(message.find("'" + path("b") + "'"), std::string::npos) << message;
    }
    EXPECT_NE(findMessage(asked).find("'" + asked + "'"), std::string::npos);
}

TEST_F(EmbeddedRootsTest, MakeOneConnectionOfTheirOwnForEach) {
    const Connection connection(virConnectOpen("test:///default"));
    const auto opened = roots_.open(path("root"));
    int calls = 0;
    const auto fail = [&]() -> virConnectPtr {
        ++calls;
        return nullptr;
    };
    const auto make = [&] {
        ++calls;
        return connection.get();
    };
    EXPECT_EQ(opened.root->ownConnection(fail), nullptr);
    EXPECT_EQ(opened.root->ownConnection(make), connection.get()) << "a failure is tried again";
    EXPECT_EQ(opened.root->ownConnection(fail), connection.get());
    EXPECT_EQ(calls, 2);
}

TEST_F(EmbeddedRootsTest, GiveThreadsThatComeAtOnceTheSameInstance) {
    constexpr unsigned kThreads = 8;
    constexpr unsigned kRounds = 60;
    std::barrier round(kThreads);
    std::array<std::shared_ptr<Instance>, kThreads> instances;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
            for (unsigned n = 0; n < kRounds; ++n) {
                round.arrive_and_wait();
                instances[i] = roots_.open(path("root")).instance;
                round.arrive_and_wait();
                EXPECT_EQ(instances[i], instances[0]);
                round.arrive_and_wait();
                // All let go at once: the last one is on its way out when the next round opens.
                instances[i].reset();
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_FALSE(fs::exists(lockFileOf(path("root"))));
}

} // namespace keyhold
