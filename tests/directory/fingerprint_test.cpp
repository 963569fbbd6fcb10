// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/fingerprint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "os/temporary_directory.h"

namespace keyhold {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;

FileStatus fileOf(ino_t inode) {
    FileStatus status;
    status.device = 1;
    status.inode = inode;
    status.size = 300;
    status.changed = kNow - 10'000'000'000;
    return status;
}

Revision revisionOf(const FileStatus &definition, ValueFormat format, const FileStatus &value,
                    std::int64_t now = kNow) {
    SecretFiles files;
    files.definition = definition;
    files.value(format) = value;
    return fingerprintOf(files, now);
}

Revision revisionOf(const FileStatus &definition, const FileStatus &value,
                    std::int64_t now = kNow) {
    return revisionOf(definition, ValueFormat::plain, value, now);
}

TEST(FingerprintTest, WhatWasReadIsWhatIsThereAsLongAsNothingChanges) {
    const Revision read = revisionOf(fileOf(2), fileOf(3));
    EXPECT_TRUE(read.isSurely(revisionOf(fileOf(2), fileOf(3))));
    EXPECT_TRUE(read.isSurely(revisionOf(fileOf(2), fileOf(3), kNow + 1'000'000'000'000)));
}

TEST(FingerprintTest, EachThingThatCountsMakesAnotherOne) {
    std::vector<Revision> all;
    const auto add = [&](const Revision &revision) {
        for (const Revision &other : all) {
            EXPECT_FALSE(revision.isSurely(other));
            EXPECT_TRUE(revision.differsFrom(other));
        }
        EXPECT_TRUE(revision.isKnown());
        all.push_back(revision);
    };
    const auto changed = [](const auto &change) {
        FileStatus status = fileOf(2);
        change(status);
        return status;
    };
    const FileStatus each[] = {
        fileOf(2),
        changed([](FileStatus &status) { status.device = 5; }),
        changed([](FileStatus &status) { status.inode = 5; }),
        changed([](FileStatus &status) { status.size = 301; }),
        changed([](FileStatus &status) { status.changed -= 1; }),
    };
    for (const FileStatus &definition : each) {
        for (const FileStatus &value : each)
            add(revisionOf(definition, value));
    }
    add(revisionOf(each[0], ValueFormat::aes256cbc, each[0]));

    SecretFiles files;
    files.definition = each[0];
    add(fingerprintOf(files, kNow)); // without a value
    files.value(ValueFormat::plain) = each[0];
    files.value(ValueFormat::jwe) = each[0];
    add(fingerprintOf(files, kNow));
}

TEST(FingerprintTest, AFileThatChangedJustNowMayChangeAgainUnseen) {
    for (const std::int64_t age : {std::int64_t{-1'000'000'000}, std::int64_t{0}, kRacyTime - 1}) {
        FileStatus racy = fileOf(2);
        racy.changed = kNow - age;
        for (const Revision &read : {revisionOf(racy, fileOf(3)), revisionOf(fileOf(3), racy)}) {
            EXPECT_FALSE(read.isSurely(read)) << age;
            EXPECT_FALSE(read.differsFrom(read)) << age;
            EXPECT_TRUE(read.differsFrom(revisionOf(fileOf(2), fileOf(3)))) << age;
        }
        // Another look, later: the same state, and this time nothing passes unseen.
        EXPECT_FALSE(revisionOf(racy, fileOf(3))
                         .differsFrom(revisionOf(racy, fileOf(3), racy.changed + kRacyTime)));
    }
    FileStatus old = fileOf(2);
    old.changed = kNow - kRacyTime;
    const Revision read = revisionOf(old, fileOf(3));
    EXPECT_TRUE(read.isSurely(read));
}

TEST(FingerprintTest, TwoValuesProveNothing) {
    SecretFiles files;
    files.definition = fileOf(2);
    files.value(ValueFormat::plain) = fileOf(3);
    files.value(ValueFormat::jwe) = fileOf(4);
    const Revision read = fingerprintOf(files, kNow);
    EXPECT_FALSE(read.isSurely(read));
}

TEST(FingerprintTest, TheClockIsNotAheadOfTheOneThatStampsFiles) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/file";
    for (int n = 0; n < 100; ++n) {
        const std::int64_t now = fileClock();
        std::ofstream(path) << n;
        FileStatus status;
        ASSERT_EQ(0, posixFileSystem().statusOf(path, status));
        ASSERT_GE(status.changed, now);
    }
}

} // namespace
} // namespace keyhold
