// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/key_file.h"

#include "conf/error.h"
#include "os/memory_file_system.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace keyhold::audit {
namespace {

class AuditKeyFile : public testing::Test {
  protected:
    AuditKeyFile() { files.putDirectory("/d"); }

    MemoryFileSystem files;
    Digest bytes = sha256(bytesOf("key"));
    const Digest chain = sha256(bytesOf("chain"));
};

TEST_F(AuditKeyFile, KeepsKeySequenceAndChain) {
    StoreDirectory directory(files, "/d");
    EXPECT_FALSE(readSealingKey(directory, "key"));
    writeSealingKey(directory, "key", SealingKey(18446744073709551615U, bytes), chain);
    const auto kept = readSealingKey(directory, "key");
    ASSERT_TRUE(kept);
    EXPECT_EQ(18446744073709551615U, kept->key.sequence());
    EXPECT_TRUE(std::ranges::equal(bytes, kept->key.bytes()));
    EXPECT_EQ(chain, kept->chain);
    EXPECT_EQ("keyhold-audit-key 1\n18446744073709551615\n" + hexOf(bytes) + "\n" + hexOf(chain) +
                  "\n",
              files.content("/d/key"));
}

TEST_F(AuditKeyFile, LeavesNoFormerKeyBehind) {
    StoreDirectory directory(files, "/d");
    writeSealingKey(directory, "key", SealingKey(1, bytes), chain);
    writeSealingKey(directory, "key", SealingKey(2, chain), chain);
    EXPECT_EQ(std::vector<std::string>{"key"}, files.names("/d"));
    EXPECT_TRUE(files.allSynced("/d"));
}

TEST_F(AuditKeyFile, AFileThatIsNoneIsNamedWithTheRemedy) {
    StoreDirectory directory(files, "/d");
    writeSealingKey(directory, "key", SealingKey(1, bytes), chain);
    const std::string good = *files.content("/d/key");
    for (const std::string &bad :
         {std::string(), good.substr(1), good + "\n", std::string(good).replace(25, 1, "x"),
          std::string(good).replace(50, 1, "x"), std::string(good).replace(130, 1, "x")}) {
        files.putFile("/d/key", bad);
        try {
            static_cast<void>(readSealingKey(directory, "key"));
            ADD_FAILURE() << bad;
        } catch (const Error &error) {
            EXPECT_NE(std::string::npos, error.message().find("'/d/key'")) << error.message();
        }
    }
}

} // namespace
} // namespace keyhold::audit
