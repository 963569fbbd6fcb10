// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/release.h"

#include <gtest/gtest.h>

#include <libvirt/libvirt.h>

using namespace keyhold::abi;

namespace {

bool operator==(const HypervisorSlots &left, const HypervisorSlots &right) {
    return left.name == right.name && left.connectOpen == right.connectOpen &&
           left.connectClose == right.connectClose &&
           left.connectIsEncrypted == right.connectIsEncrypted &&
           left.connectIsSecure == right.connectIsSecure &&
           left.connectIsAlive == right.connectIsAlive;
}

constexpr HypervisorSlots kBefore{0, 2, 3, 128, 129, 195};
constexpr HypervisorSlots kSince{0, 2, 3, 130, 131, 197};

} // namespace

TEST(Release, IsThatOfTheLibvirtInThisProcess) {
    unsigned long release = 0;
    ASSERT_EQ(virGetVersion(&release, nullptr, nullptr), 0);
    EXPECT_EQ(runningRelease(), release);
    EXPECT_GE(runningRelease(), kOldestRelease);
}

TEST(Release, SlotsMoveWith11Dot2) {
    EXPECT_TRUE(hypervisorSlots(9'000'000) == kBefore);
    EXPECT_TRUE(hypervisorSlots(11'001'000) == kBefore);
    EXPECT_TRUE(hypervisorSlots(11'001'999) == kBefore);
    EXPECT_TRUE(hypervisorSlots(11'002'000) == kSince);
    EXPECT_TRUE(hypervisorSlots(11'003'000) == kSince);
    EXPECT_TRUE(hypervisorSlots(12'008'000) == kSince);
    EXPECT_TRUE(hypervisorSlots(13'000'000) == kSince);
}
