// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/fingerprint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

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

Revision fingerprintOf(const FileStatus &definition, unsigned form, const FileStatus &value,
                       std::uint64_t rules = 1, std::int64_t now = kNow) {
    FingerprintMaker maker(rules, now);
    maker.addDefinition(definition);
    maker.addValue(form, value);
    return maker.finish();
}

TEST(FingerprintTest, WhatWasReadIsWhatIsThereAsLongAsNothingChanges) {
    EXPECT_NE(kUnknownRevision, fingerprintOf(fileOf(2), 0, fileOf(3)));
    EXPECT_EQ(fingerprintOf(fileOf(2), 0, fileOf(3)), fingerprintOf(fileOf(2), 0, fileOf(3)));
    EXPECT_EQ(fingerprintOf(fileOf(2), 0, fileOf(3)),
              fingerprintOf(fileOf(2), 0, fileOf(3), 1, kNow + 1'000'000'000'000));
}

TEST(FingerprintTest, EachThingThatCountsMakesAnotherOne) {
    std::set<Revision> all;
    const auto add = [&](const FileStatus &definition, unsigned form, const FileStatus &value,
                         std::uint64_t rules) {
        EXPECT_TRUE(all.insert(fingerprintOf(definition, form, value, rules)).second);
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
            add(definition, 0, value, 1);
    }
    add(each[0], 1, each[0], 1);
    add(each[0], 0, each[0], 2);

    FingerprintMaker withoutValue(1, kNow);
    withoutValue.addDefinition(each[0]);
    EXPECT_TRUE(all.insert(withoutValue.finish()).second);
    EXPECT_FALSE(all.contains(kUnknownRevision));
}

TEST(FingerprintTest, AFileThatChangedJustNowMayChangeAgainUnseen) {
    for (const std::int64_t age : {std::int64_t{-1'000'000'000}, std::int64_t{0}, kRacyTime - 1}) {
        FileStatus racy = fileOf(2);
        racy.changed = kNow - age;
        EXPECT_EQ(kUnknownRevision, fingerprintOf(racy, 0, fileOf(3))) << age;
        EXPECT_EQ(kUnknownRevision, fingerprintOf(fileOf(3), 0, racy)) << age;
    }
    FileStatus reconciled = fileOf(2);
    reconciled.changed = kNow - kRacyTime;
    EXPECT_NE(kUnknownRevision, fingerprintOf(reconciled, 0, fileOf(3)));
}

TEST(FingerprintTest, TwoValuesAreNotTold) {
    FingerprintMaker maker(1, kNow);
    maker.addDefinition(fileOf(2));
    maker.addValue(0, fileOf(3));
    maker.addValue(1, fileOf(4));
    EXPECT_EQ(kUnknownRevision, maker.finish());
}

TEST(FingerprintTest, OneThatIsSpoiledIsUnknown) {
    FingerprintMaker maker(1, kNow);
    maker.spoil();
    maker.addDefinition(fileOf(2));
    EXPECT_EQ(kUnknownRevision, maker.finish());
}

TEST(FingerprintTest, TheClockIsNotAheadOfTheOneThatStampsFiles) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/file";
    for (int n = 0; n < 100; ++n) {
        const std::int64_t now = fingerprintClock();
        std::ofstream(path) << n;
        FileStatus status;
        ASSERT_EQ(0, posixFileSystem().statusOf(path, status));
        ASSERT_GE(status.changed, now);
    }
}

TEST(KeptFingerprintTest, StaysWithTheRecordAndNotWithItsCopies) {
    const KeptRevision kept(7);
    EXPECT_EQ(7U, kept.get());
    const KeptRevision copy(kept); // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(kUnknownRevision, copy.get());
    kept.set(8);
    EXPECT_EQ(8U, kept.get());
    EXPECT_EQ(7U, KeptRevision(KeptRevision(7)).get());
}

} // namespace
} // namespace keyhold
