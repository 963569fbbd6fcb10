// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/settings_file.h"

#include "conf/raised.h"
#include "host/host_fixture.h"

#include <gmock/gmock.h>

#include <libvirt/virterror.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SettingsFileTest : public WithHost {
  protected:
    void SetUp() override {
        WithHost::SetUp();
        virResetLastError();
    }
    void TearDown() override { EXPECT_EQ(virGetLastError(), nullptr); }

    Settings read(const std::string &text) {
        configure(text);
        return readSettingsFile(settingsFile()).settings;
    }
    /// Of a text in which one setting cannot be understood.
    std::string problemOf(const std::string &text) {
        const Settings settings = read(text);
        return settings.problems.size() == 1 ? settings.problems[0].text : "not one";
    }
    std::string refusal(const std::string &text) {
        const auto raised = raisedBy([&] { (void)read(text); });
        return raised && raised->code == ErrorCode::configUnsupported ? raised->text : "none";
    }
};

TEST_F(SettingsFileTest, ReadsWhatLibvirtsFilesHold) {
    const Settings settings = read("# a comment\n"
                                   "encrypt_data = 1\n"
                                   "seal_existing = 0 # behind a value\n"
                                   "\n"
                                   "secrets_encryption_key = \"/etc/libvirt/key\"\n"
                                   "secrets_decryption_keys = [ \"/a\", \"/b\",\n  \"/c\" ]\n"
                                   "key_memory = 'locked'\n");
    EXPECT_EQ(true, settings.encryptData);
    EXPECT_FALSE(settings.sealExisting);
    EXPECT_EQ("/etc/libvirt/key", settings.secretsEncryptionKey);
    EXPECT_THAT(settings.secretsDecryptionKeys, ElementsAre("/a", "/b", "/c"));
    EXPECT_EQ(KeyMemoryChoice::locked, settings.keyMemory);
    EXPECT_THAT(settings.problems, IsEmpty());
    EXPECT_EQ(false, read("encrypt_data = 0\n").encryptData);
}

TEST_F(SettingsFileTest, AListMayBeOneStringOrEmpty) {
    EXPECT_THAT(read("secrets_decryption_keys = '/d'\n").secretsDecryptionKeys, ElementsAre("/d"));
    const Settings empty = read("secrets_decryption_keys = [ ]\n");
    EXPECT_THAT(empty.secretsDecryptionKeys, IsEmpty());
    EXPECT_THAT(empty.problems, IsEmpty());
}

TEST_F(SettingsFileTest, WhatIsNotThereIsToldApartFromWhatIsOfAnotherType) {
    EXPECT_EQ(Settings{}, read("other = 1\n"));
    EXPECT_EQ("'encrypt_data' is not 0 or 1", problemOf("encrypt_data = \"1\"\n"));
    EXPECT_EQ("'encrypt_data' is not 0 or 1", problemOf("encrypt_data = 2\n"));
    EXPECT_EQ("'secrets_encryption_key' is not a string",
              problemOf("secrets_encryption_key = 1\n"));
    EXPECT_EQ("'secrets_decryption_keys' is not a list of strings",
              problemOf("secrets_decryption_keys = 1\n"));
    EXPECT_EQ("entry 2 of 'secrets_decryption_keys' is not a string",
              problemOf("secrets_decryption_keys = [ \"/a\", 5 ]\n"));
}

TEST_F(SettingsFileTest, NothingIsAFileWithoutSettings) {
    for (const char *text : {"", "\n", "# only a comment", "  \n\n"})
        EXPECT_EQ(Settings{}, read(text)) << text;
    EXPECT_EQ(Settings{}, readSettingsFile(directory.path() + "/none").settings);
    EXPECT_EQ(Settings{}, readSettingsFile(directory.path() + "/none/none").settings);
}

TEST_F(SettingsFileTest, ANewlineAtTheEndIsNotNeeded) {
    EXPECT_EQ(true, read("encrypt_data = 1").encryptData);
}

TEST_F(SettingsFileTest, MalformedTextIsRefusedWithItsPlace) {
    EXPECT_THAT(refusal("\nencrypt_data 1\n"), HasSubstr(":2"));
    for (const char *text :
         {"encrypt_data =", "= 1", "key = \"no end\n", "key = [ \"a\" \n", "<xml/>"}) {
        EXPECT_NE("", refusal(text)) << text;
        EXPECT_NE("none", refusal(text)) << text;
    }
}

TEST_F(SettingsFileTest, ANulByteDoesNotCutTheFileShort) {
    EXPECT_EQ("it holds a NUL byte", refusal(std::string("a = 1\n\0b = 1\n", 13)));
}

} // namespace
} // namespace keyhold
