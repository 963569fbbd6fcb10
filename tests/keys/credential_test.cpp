// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keys/key_file.h"

#include "os/temporary_directory.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

TEST(CredentialTest, IsWhereSystemdPutsIt) {
    EXPECT_EQ("/run/credentials/libvirtd.service/secrets-encryption-key",
              Credential(posixFileSystem(), "/run/credentials/libvirtd.service").name());
}

TEST(CredentialTest, ExistsWhereThereIsAFile) {
    const TemporaryDirectory temporary;
    const std::string directory = temporary.path() + "/credentials";
    const Credential credential(posixFileSystem(), directory.c_str());
    EXPECT_FALSE(Credential(posixFileSystem(), nullptr).exists());
    EXPECT_FALSE(credential.exists());
    std::ofstream(directory) << "no directory";
    EXPECT_FALSE(credential.exists());
    std::filesystem::remove(directory);
    std::filesystem::create_directory(directory);
    EXPECT_FALSE(credential.exists());
    std::ofstream(credential.name(), std::ios::binary) << std::string(Key::kSize, 'k');
    EXPECT_TRUE(credential.exists());
    EXPECT_EQ('k', credential.fetch(Deadline(std::chrono::hours(1))).bytes.bytes()[0]);
}

} // namespace
} // namespace keyhold
