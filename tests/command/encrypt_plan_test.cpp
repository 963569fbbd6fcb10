// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt_plan.h"

#include "conf/error.h"
#include "os/temporary_directory.h"

#include <fstream>

#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

TEST(EncryptPlan, TheNextKeyIsAboveThoseThatAreNamed) {
    const TemporaryDirectory folder;
    const std::string at = folder.path();
    EXPECT_EQ(nextKeyPlace(at, {}, true), at + "/secrets-1.key");
    EXPECT_EQ(nextKeyPlace(at, {at + "/secrets-9.key", "/other/secrets-50.key"}, true),
              at + "/secrets-10.key");
    EXPECT_EQ(nextKeyPlace(at + "/nowhere", {}, true), at + "/nowhere/secrets-1.key");
}

TEST(EncryptPlan, AKeyThatWasMadeAndNotNamedIsTaken) {
    const TemporaryDirectory folder;
    const std::string at = folder.path();
    for (const char *name : {"/secrets-1.key", "/secrets-2.key", "/secrets-x.key", "/secrets-.key",
                             "/secrets-77.key.old"})
        std::ofstream(at + name) << "";
    EXPECT_EQ(nextKeyPlace(at, {at + "/secrets-1.key"}, true), at + "/secrets-2.key");
    EXPECT_EQ(nextKeyPlace(at, {at + "/secrets-2.key"}, true), at + "/secrets-3.key");
    EXPECT_EQ(nextKeyPlace(at, {at + "/secrets-1.key"}, false), at + "/secrets-3.key")
        << "a key that was in use once is no new one";
    EXPECT_EQ(nextKeyPlace(at, {}, true), at + "/secrets-2.key");
}

TEST(EncryptPlan, KeysAreNotBesideTheStore) {
    Target target{Target::Kind::system, {}, {}};
    target.paths.configDirectory = "/etc/libvirt/secrets";
    for (const char *place : {"/etc/libvirt/k", "/etc/libvirt/secrets/k", "/etc/libvirt/a/../k"})
        EXPECT_THROW(requireAwayFromStore(target, place), Error) << place;
    for (const char *place : {"/etc/k", "/etc/libvirt-keys/k", "/var/lib/keyhold/k"})
        EXPECT_NO_THROW(requireAwayFromStore(target, place)) << place;
}

TEST(EncryptPlan, TheFormerKeyComesFirstInTheList) {
    EXPECT_EQ(listWith("/a", {}), "[ \"/a\" ]");
    EXPECT_EQ(listWith("/b", {"/a", "/b"}), "[ \"/b\", \"/a\" ]");
}

TEST(EncryptPlan, AnEmbeddedRootHasNoPlaceForKeys) {
    EXPECT_THROW(static_cast<void>(keyDirectoryOf({Target::Kind::embedded, {}, "/r"})), Error);
    EXPECT_EQ(keyDirectoryOf({Target::Kind::system, {}, {}}), "/var/lib/keyhold");
}

} // namespace
} // namespace keyhold::command
