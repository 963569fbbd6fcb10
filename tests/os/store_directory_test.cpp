// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/store_directory.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;

class StoreDirectoryTest : public testing::Test {
  protected:
    StoreDirectoryTest() {
        disk.putDirectory("/store");
        directory = std::make_unique<StoreDirectory>(faulty, "/store");
    }

    void moveTo(const char *name) {
        ASSERT_EQ(0, disk.rename(disk.openDirectory("/"), "store", name));
    }

    MemoryFileSystem disk;
    FaultyFileSystem faulty{disk};
    std::unique_ptr<StoreDirectory> directory;
};

TEST_F(StoreDirectoryTest, WhatIsNoDirectoryIsAnError) {
    disk.putFile("/file", "");
    const Raised expected{ErrorCode::systemCall, "cannot open directory '/file'"};
    EXPECT_EQ(expected, raisedBy([&] { const StoreDirectory opened(faulty, "/file"); }));
    EXPECT_THROW(const StoreDirectory opened(faulty, "/missing"), Error);
}

TEST_F(StoreDirectoryTest, ItsErrorsNameTheFileOrItselfAndThePlaceThatAsksForThem) {
    const Error ofFile = directory->error(ErrorCode::fileAccess, "cannot sync file", "a", -EIO);
    EXPECT_EQ(ofFile.place().line, __LINE__ - 1U);
    EXPECT_EQ(ofFile.code(), ErrorCode::fileAccess);
    EXPECT_EQ(ofFile.message(), "cannot sync file '/store/a'");
    EXPECT_EQ(ofFile.systemErrno(), EIO);
    const Error ofRename = directory->renameError("a", "b", -ENOSPC);
    EXPECT_EQ(ofRename.place().line, __LINE__ - 1U);
    EXPECT_EQ(ofRename.message(), "cannot rename file '/store/a' as '/store/b'");
    const Error ofSync = directory->syncError(-EIO);
    EXPECT_EQ(ofSync.place().line, __LINE__ - 1U);
    EXPECT_EQ(ofSync.message(), "cannot sync directory '/store'");
}

TEST_F(StoreDirectoryTest, IsClosedAtTheEnd) {
    directory.reset();
    EXPECT_EQ(0U, disk.openDescriptors());
}

TEST_F(StoreDirectoryTest, KnowsWhetherItsPathStillLeadsToIt) {
    EXPECT_TRUE(directory->isStillAtPath());
    moveTo("elsewhere");
    EXPECT_FALSE(directory->isStillAtPath());
    disk.putDirectory("/store");
    EXPECT_FALSE(directory->isStillAtPath());
    disk.removeAll("/store");
    EXPECT_EQ(0, disk.rename(disk.openDirectory("/"), "elsewhere", "store"));
    EXPECT_TRUE(directory->isStillAtPath());
    disk.removeAll("/store");
    EXPECT_FALSE(directory->isStillAtPath());
}

TEST_F(StoreDirectoryTest, WorksOnTheOpenDirectoryWhereverItIs) {
    disk.putFile("/store/a", "content");
    moveTo("elsewhere");
    EXPECT_TRUE(directory->contains("a"));
    EXPECT_TRUE(directory->rename("a", "b"));
    std::vector<std::string> names;
    directory->list([&](const char *name) { names.emplace_back(name); });
    EXPECT_THAT(names, ElementsAre("b"));
    EXPECT_THAT(disk.names("/elsewhere"), ElementsAre("b"));
}

TEST_F(StoreDirectoryTest, ContainsWhateverHasTheName) {
    disk.putDanglingLink("/store/link");
    disk.putFifo("/store/fifo");
    disk.putDirectory("/store/folder");
    EXPECT_TRUE(directory->contains("link"));
    EXPECT_TRUE(directory->contains("fifo"));
    EXPECT_TRUE(directory->contains("folder"));
    EXPECT_FALSE(directory->contains("file"));
    faulty.fail(Operation::exists, "file", EIO);
    EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot stat '/store/file'"}),
              raisedBy([&] { static_cast<void>(directory->contains("file")); }));
}

TEST_F(StoreDirectoryTest, RenameAndUnlinkDistinguishAMissingFileFromAFailure) {
    EXPECT_FALSE(directory->rename("a", "b"));
    EXPECT_FALSE(directory->unlink("a"));
    disk.putFile("/store/a", "");
    disk.putDirectory("/store/folder");
    EXPECT_EQ((Raised{ErrorCode::fileAccess, "cannot rename file '/store/a' as '/store/folder'"}),
              raisedBy([&] { directory->rename("a", "folder"); }));
    EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot unlink '/store/folder'"}),
              raisedBy([&] { directory->unlink("folder"); }));
    EXPECT_TRUE(directory->rename("a", "b"));
    EXPECT_TRUE(directory->unlink("b"));
}

TEST_F(StoreDirectoryTest, AnUnfinishedListIsAnError) {
    faulty.fail(Operation::list, "", EIO, 1, FaultyFileSystem::Effect::done);
    EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot read directory '/store'"}),
              raisedBy([&] { directory->list([](const char *) {}); }));
}

TEST_F(StoreDirectoryTest, ARemovalIsOwedUntilASyncThatBeganAfterIt) {
    EXPECT_FALSE(directory->hasUnsyncedRemovals());
    directory->noteRemoval();
    EXPECT_TRUE(directory->hasUnsyncedRemovals());
    faulty.fail(Operation::sync, "", EIO);
    EXPECT_EQ(-EIO, directory->sync());
    EXPECT_TRUE(directory->hasUnsyncedRemovals());
    bool isFirst = true;
    faulty.before(Operation::sync, "", [&] {
        if (std::exchange(isFirst, false))
            directory->noteRemoval(); // during the sync: nobody knows whether it is part of it
    });
    EXPECT_EQ(0, directory->sync());
    EXPECT_TRUE(directory->hasUnsyncedRemovals());
    EXPECT_EQ(0, directory->sync());
    EXPECT_FALSE(directory->hasUnsyncedRemovals());
}

TEST_F(StoreDirectoryTest, NamesAreOwedByThemselves) {
    EXPECT_FALSE(directory->hasUnsyncedNames());
    directory->noteUnsyncedNames();
    EXPECT_TRUE(directory->hasUnsyncedNames());
    EXPECT_FALSE(directory->hasUnsyncedRemovals());
    directory->noteRemoval();
    EXPECT_EQ(0, directory->sync());
    EXPECT_FALSE(directory->hasUnsyncedNames());
    EXPECT_FALSE(directory->hasUnsyncedRemovals());
}

TEST_F(StoreDirectoryTest, WhereDirectoriesCannotBeSyncedNothingIsPending) {
    EXPECT_TRUE(directory->canBeSynced());
    for (const int error : {EINVAL, ENOSYS, EOPNOTSUPP}) {
        directory->noteUnsyncedNames();
        faulty.fail(Operation::sync, "", error);
        EXPECT_EQ(0, directory->sync());
        EXPECT_FALSE(directory->hasUnsyncedNames());
        EXPECT_FALSE(directory->canBeSynced());
    }
}

TEST_F(StoreDirectoryTest, AFailedSyncCanBeRaised) {
    faulty.fail(Operation::sync, "", EIO);
    EXPECT_EQ((Raised{ErrorCode::fileAccess, "cannot sync directory '/store'"}),
              raisedBy([&] { directory->syncOrRaise(); }));
    directory->syncOrRaise();
}

} // namespace
} // namespace keyhold
