// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"
#include "command/store_on_disk.h"
#include "conf/error.h"
#include "os/child_process.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

class KeyCommands : public testing::Test {
  protected:
    std::string run(Exit (*what)(const KeyOptions &), const std::vector<std::string> &files,
                    bool json = true) {
        testing::internal::CaptureStdout();
        try {
            exit = what({store.choice(), files, json});
        } catch (const Error &error) {
            testing::internal::GetCapturedStdout();
            return "refused: " + error.fullText();
        }
        return testing::internal::GetCapturedStdout();
    }

    StoreOnDisk store;
    Exit exit = Exit::clean;
};

TEST_F(KeyCommands, GenerateMakesAFileOfRandomBytes) {
    const std::string place = store.root() + "/new-key";
    const Json said = Json::parse(run(generateKey, {place}));
    EXPECT_EQ(said["file"], place);
    EXPECT_EQ(std::filesystem::file_size(place), 32u);
    EXPECT_EQ(Json::parse(run(showKeyIds, {place}))["keys"][0]["id"], said["id"]);
    const Json other = Json::parse(run(generateKey, {place + "-2"}));
    EXPECT_NE(other["id"], said["id"]);
}

TEST_F(KeyCommands, GenerateLeavesWhatIsThere) {
    const std::string place = store.keyFile(1);
    EXPECT_THAT(run(generateKey, {place}), HasSubstr("stays as it is"));
    EXPECT_EQ(Json::parse(run(showKeyIds, {place}))["keys"][0]["id"], keyIdOf(1));
}

TEST_F(KeyCommands, GenerateDoesNotReplaceALostKey) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    std::filesystem::remove(store.keyFile(7));
    EXPECT_THAT(run(generateKey, {}), HasSubstr("put the lost one back"));
    EXPECT_THAT(run(generateKey, {store.root() + "/another"}), HasSubstr("another"));
}

TEST_F(KeyCommands, GenerateNeedsAPlace) {
    EXPECT_THAT(run(generateKey, {}), HasSubstr("refused: name the file"));
    EXPECT_THAT(run(generateKey, {store.root() + "/"}), HasSubstr("names no file"));
}

TEST_F(KeyCommands, ShowIdGoesOnAfterAFileThatIsNoKey) {
    testing::internal::CaptureStderr();
    const std::string said = run(showKeyIds, {"/nowhere/key", store.keyFile(1)}, false);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("/nowhere/key"));
    EXPECT_EQ(said, keyIdOf(1) + "  " + store.keyFile(1) + "\n");
    EXPECT_EQ(exit, Exit::failure);
}

TEST_F(KeyCommands, ShowIdAsksTheSourcesOfSecretConf) {
    store.configure(store.keyLine(1) + "secrets_decryption_keys = [ \"" + store.keyFile(2) +
                    "\", \"/nowhere/key\" ]\n");
    std::filesystem::permissions(store.keyFile(2), std::filesystem::perms(0644));
    testing::internal::CaptureStderr();
    const std::string said = run(showKeyIds, {}, false);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_EQ(said, keyIdOf(1) + "  " + store.keyFile(1) + "  current\n" + keyIdOf(2) + "  " +
                        store.keyFile(2) + "  earlier\n");
    EXPECT_THAT(told, testing::AllOf(HasSubstr("chmod 0600 " + store.keyFile(2)),
                                     HasSubstr("'/nowhere/key'")));
    EXPECT_EQ(exit, Exit::failure);
}

TEST_F(KeyCommands, ShowIdDoesNotShowAKeyThatWasPasted) {
    const std::string pasted = "/MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    store.configure("secrets_encryption_key = \"" + pasted + "\"\n");
    testing::internal::CaptureStderr();
    const std::string said = run(showKeyIds, {}) + run(showKeyIds, {pasted});
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, HasSubstr("'secrets_encryption_key' names no file that is there"));
    EXPECT_THAT(told, HasSubstr("a key file that is named is not there"));
    EXPECT_THAT(said + told, testing::Not(HasSubstr("MDEy")));
}

TEST_F(KeyCommands, ShowIdWithoutKeys) {
    EXPECT_THAT(run(showKeyIds, {}), HasSubstr("names no key"));
}

TEST_F(KeyCommands, ExportWritesTheJwkOfTheCurrentKey) {
    store.configure(store.keyLine(1));
    testing::internal::CaptureStderr();
    const Json jwk = Json::parse(run(exportKey, {}));
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(keyIdOf(1)));
    EXPECT_EQ(jwk["kid"], keyIdOf(1));
    EXPECT_EQ(jwk["kty"], "oct");
    EXPECT_EQ(jwk["k"].get<std::string>().size(), 43u);
}

TEST_F(KeyCommands, ExportEndsWhereAWriteTakesNothing) {
    const std::string key = store.keyFile(1);
    std::string said;
    // The filter is of one thread.
    std::thread([&] {
        const bool isRefused = refuse(SYS_write, 0, 0, STDERR_FILENO); // but for what it says there
        said = isRefused ? run(exportKey, {key}) : "no filter";
    }).join();
    EXPECT_EQ(said, "refused: cannot write the output: Input/output error");
}

TEST_F(KeyCommands, ExportNeedsAKeyThatSeals) {
    EXPECT_THAT(run(exportKey, {}), HasSubstr("names no key that seals"));
    store.configure("secrets_encryption_key = \"/nowhere/key\"\n");
    EXPECT_THAT(run(exportKey, {}), HasSubstr("/nowhere/key"));
}

} // namespace
} // namespace keyhold::command
