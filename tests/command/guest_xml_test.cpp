// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/guest_xml.h"

#include "conf/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char *kOne = "11111111-1111-1111-1111-111111111111";

SecretReference byUuid(const std::string &where) {
    return {Uuid::parse(kOne), {}, where};
}

SecretReference byUsage(UsageType type, const std::string &id, const std::string &where) {
    return {std::nullopt, {type, id}, where};
}

std::vector<SecretReference> inDevices(const std::string &xml) {
    return secretReferencesIn("<domain><devices>" + xml + "</devices></domain>");
}

std::string secretOf(const std::string &type) {
    return "<secret type='" + type + "' uuid='" + kOne + "'/>";
}

TEST(GuestXml, DisksByUuidAndByUsage) {
    EXPECT_THAT(inDevices("<disk><source protocol='rbd'><auth username='u'>" + secretOf("ceph") +
                          "</auth></source><target dev='vda'/></disk>"
                          "<disk><source protocol='rbd'><auth username='u'>"
                          "<secret type='ceph' usage='client.a b'/></auth></source>"
                          "<target dev='vdb'/></disk>"
                          "<disk><source><encryption format='luks'>" +
                          secretOf("passphrase") +
                          "</encryption></source><target dev='vdc'/></disk>"),
                ElementsAre(byUuid("disk vda"), byUsage(UsageType::ceph, "client.a b", "disk vdb"),
                            byUuid("disk vdc")));
}

TEST(GuestXml, WhatIsBehindAndBesideADisk) {
    const std::string encryption =
        "<encryption format='luks'><secret type='passphrase' usage='/image'/></encryption>";
    const auto ofDisk = byUsage(UsageType::volume, "/image", "disk vda");
    EXPECT_THAT(inDevices("<disk><source>" + encryption + "</source><backingStore><source>" +
                          encryption + "</source></backingStore><mirror><source>" + encryption +
                          "</source></mirror><target dev='vda'/></disk>"),
                ElementsAre(ofDisk, ofDisk, ofDisk));
}

TEST(GuestXml, OtherDevicesAndTheFirmware) {
    EXPECT_THAT(inDevices("<hostdev><source protocol='iscsi'><auth username='u'>"
                          "<secret type='iscsi' usage='t'/></auth></source></hostdev>"
                          "<tpm><backend type='emulator'><encryption secret='" +
                          std::string(kOne) + "'/></backend></tpm>"),
                ElementsAre(byUsage(UsageType::iscsi, "t", "hostdev"), byUuid("tpm")));
    EXPECT_THAT(secretReferencesIn("<domain><os><nvram><source protocol='iscsi'><auth>" +
                                   secretOf("iscsi") + "</auth></source></nvram></os></domain>"),
                ElementsAre(byUuid("nvram")));
}

TEST(GuestXml, PoolsAndVolumes) {
    EXPECT_THAT(secretReferencesIn("<pool type='rbd'><source><auth type='ceph' username='u'>"
                                   "<secret usage='p'/></auth></source></pool>"),
                ElementsAre(byUsage(UsageType::ceph, "p", "pool")));
    EXPECT_THAT(secretReferencesIn("<pool type='iscsi'><source><auth type='chap' username='u'>"
                                   "<secret usage='q'/></auth></source></pool>"),
                ElementsAre(byUsage(UsageType::iscsi, "q", "pool")));
    EXPECT_THAT(secretReferencesIn("<volume><target><encryption format='luks'>" +
                                   secretOf("passphrase") + "</encryption></target></volume>"),
                ElementsAre(byUuid("volume")));
}

TEST(GuestXml, OthersNotesAndWhatNamesNoneDoNotCount) {
    EXPECT_THAT(secretReferencesIn("<domain><metadata><a><auth>" + secretOf("ceph") +
                                   "</auth></a></metadata></domain>"),
                IsEmpty());
    EXPECT_THAT(inDevices("<disk><source><auth><secret type='ceph' uuid='x'/></auth>"
                          "<encryption format='luks'/></source></disk><secret usage='a'/>"),
                IsEmpty());
    EXPECT_THROW(static_cast<void>(secretReferencesIn("<domain>")), Error);
}

TEST(GuestXml, AGuestMayHaveManyDevices) {
    std::string disks;
    for (int i = 0; i < 1000; ++i)
        disks += "<disk a='1' b='2'><source><auth>" + secretOf("ceph") +
                 "</auth></source><target dev='vd'/></disk>";
    EXPECT_EQ(inDevices(disks).size(), 1000u);
}

} // namespace
} // namespace keyhold::command
