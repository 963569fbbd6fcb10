// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"
#include "command/store_on_disk.h"
#include "conf/error.h"
#include "os/faulty_file_system.h"
#include "seal/misleading_key.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

class Convert : public testing::Test {
  protected:
    Exit run(
        Purpose purpose, std::function<bool()> isStopped = [] { return false; }) {
        testing::internal::CaptureStdout();
        try {
            const Exit exit = convert(purpose, {store.choice(), {}, true, std::move(isStopped)});
            said = Json::parse(testing::internal::GetCapturedStdout());
            return exit;
        } catch (...) {
            testing::internal::GetCapturedStdout();
            throw;
        }
    }
    std::string refusal(Purpose purpose) {
        try {
            run(purpose);
        } catch (const Error &error) {
            return error.fullText();
        }
        return "none";
    }
    std::size_t count(const std::string &suffix) {
        std::size_t found = 0;
        for (const auto &[name, content] : store.files())
            found += name.ends_with(suffix) ? 1 : 0;
        return found;
    }

    StoreOnDisk store;
    Json said;
};

TEST_F(Convert, SealAndUnseal) {
    for (int n = 1; n <= 5; ++n)
        store.addPlain(n, "value " + std::to_string(n));
    const auto before = store.files();
    store.configure(store.keyLine(7));
    EXPECT_EQ(run(Purpose::seal), Exit::clean);
    EXPECT_EQ(said["converted"], 5);
    EXPECT_EQ(count(".jwe"), 5u);
    EXPECT_EQ(count(".base64"), 0u);
    EXPECT_EQ(run(Purpose::seal), Exit::clean);
    EXPECT_EQ(said["converted"], 0);
    EXPECT_EQ(run(Purpose::unseal), Exit::clean);
    EXPECT_EQ(said["converted"], 5);
    EXPECT_EQ(store.files(), before);
}

TEST_F(Convert, StopsBetweenTwoValuesAndGoesOnLater) {
    for (int n = 1; n <= 5; ++n)
        store.addSealed(n, "value", 7);
    store.configure(store.keyLine(7));
    int asked = 0;
    EXPECT_EQ(run(Purpose::unseal, [&] { return ++asked > 2; }), Exit::failure);
    EXPECT_EQ(said["converted"], 2);
    EXPECT_EQ(said["remaining"], 3);
    EXPECT_EQ(count(".base64"), 2u);
    EXPECT_EQ(run(Purpose::unseal), Exit::clean);
    EXPECT_EQ(said["converted"], 3);
}

TEST_F(Convert, FinishesWhatAnInterruptedRunLeft) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    store.put(StoreOnDisk::nameOf(1, "base64.keyhold-new"), "dmFs");
    EXPECT_EQ(run(Purpose::unseal), Exit::clean);
    EXPECT_EQ(store.files()[StoreOnDisk::nameOf(1, "base64")], "dmFsdWU=");
    EXPECT_EQ(store.files().size(), 2u);
}

TEST_F(Convert, ASecretWhoseDefinitionIsBrokenIsConvertedAsWell) {
    store.addSealed(1, "value", 7);
    store.put(StoreOnDisk::nameOf(1, "xml"), "<secret>");
    store.configure(store.keyLine(7));
    EXPECT_EQ(run(Purpose::unseal), Exit::findings);
    EXPECT_EQ(said["converted"], 1);
    EXPECT_EQ(said["findings"][0]["kind"], "definition");
}

TEST_F(Convert, AValueThatCannotBeWrittenIsAFindingAndTheRestIsDone) {
    store.addSealed(1, "value", 7);
    store.addSealed(2, "value", 7);
    store.configure(store.keyLine(7));
    // A directory there cannot be replaced by a file.
    std::filesystem::create_directories(store.secrets() + "/" +
                                        StoreOnDisk::nameOf(1, "base64.keyhold-new") + "/x");
    EXPECT_EQ(run(Purpose::unseal), Exit::failure);
    EXPECT_EQ(said["converted"], 1);
    EXPECT_EQ(said["remaining"], 1);
    EXPECT_EQ(said["findings"][0]["kind"], "unchanged");
    EXPECT_EQ(count("2.base64"), 1u);
}

// "old value" as libvirt writes it: AES-256-CBC under 32 bytes of 1; made with Python's
// `cryptography`.
constexpr const char *kCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";

TEST_F(Convert, TheOriginalOfWhatLibvirtEncryptedIsKept) {
    store.define(1);
    store.put(StoreOnDisk::nameOf(1, "aes256cbc"), kCbc);
    store.configure(store.keyLine(1));
    for (const auto &[purpose, suffix] :
         {std::pair(Purpose::seal, ".jwe"), std::pair(Purpose::unseal, ".base64")}) {
        EXPECT_EQ(run(purpose), Exit::clean);
        EXPECT_EQ(said["converted"], 1);
        EXPECT_EQ(count(suffix), 1u);
        EXPECT_EQ(store.files()[StoreOnDisk::nameOf(1, "aes256cbc.aside-1")], kCbc);
        EXPECT_EQ(store.files().size(), 3u);
    }
}

TEST_F(Convert, WhatLibvirtEncryptedStaysWhileAConfiguredKeyIsMissing) {
    store.define(1);
    store.put(StoreOnDisk::nameOf(1, "aes256cbc"), kCbc);
    store.addPlain(2, "value");
    store.addSealed(3, "value", 1);
    const std::string missing = "secrets_decryption_keys = [ \"/nowhere/key\" ]\n";
    store.configure(store.keyLine(1) + missing);
    for (const auto &[purpose, suffix] :
         {std::pair(Purpose::seal, ".jwe"), std::pair(Purpose::unseal, ".base64")}) {
        EXPECT_EQ(run(purpose), Exit::failure);
        EXPECT_EQ(said["remaining"], 1);
        EXPECT_EQ(said["findings"][0]["kind"], "unchanged");
        EXPECT_THAT(said["findings"][0]["text"].get<std::string>(), HasSubstr("/nowhere/key"));
        EXPECT_EQ(store.files()[StoreOnDisk::nameOf(1, "aes256cbc")], kCbc);
        EXPECT_EQ(count(suffix), 2u);
    }
}

TEST_F(Convert, WhatOnlyAnEarlierKeyOpensIsNotReadWhileAConfiguredKeyIsMissing) {
    const auto wrong = misleadingKey(kCbc);
    store.define(1);
    store.put(StoreOnDisk::nameOf(1, "aes256cbc"), kCbc);
    store.put("../wrong", {wrong.begin(), wrong.end()});
    store.configure(store.keyLine(2) + "secrets_decryption_keys = [ \"" + store.root() +
                    "/etc/wrong\", \"/nowhere/key\" ]\n");
    for (const Purpose purpose : {Purpose::seal, Purpose::unseal}) {
        EXPECT_EQ(run(purpose), Exit::findings);
        EXPECT_EQ(said["findings"][0]["kind"], "missing-key");
        EXPECT_THAT(said["findings"][0]["text"].get<std::string>(), HasSubstr("/nowhere/key"));
        EXPECT_EQ(store.files()[StoreOnDisk::nameOf(1, "aes256cbc")], kCbc);
        EXPECT_EQ(store.files().size(), 2u);
    }
}

// Whoever can rename the directory could otherwise have the files of another one written.
TEST_F(Convert, WritesIntoTheDirectoryWhoseOwnerItHasLookedAt) {
    store.addPlain(1, "value");
    store.configure(store.keyLine(1));
    const Target target = store.target();
    const StoreKeys keys = readStoreKeys(target, std::nullopt);
    const std::function<bool()> isStopped = [] { return false; };
    Conversion conversion{
        Purpose::seal,
        target,
        withRules(*keys.host.policy, {.mustSeal = true, .convertExisting = true, .complaint = {}}),
        isStopped,
        0,
        {},
        false};
    FaultyFileSystem watched(posixFileSystem());
    const std::string other = store.root() + "/other";
    std::filesystem::copy(store.secrets(), other);
    int opened = 0;
    watched.before(Operation::openDirectory, store.secrets(), [&] {
        if (++opened != 2)
            return;
        std::filesystem::rename(store.secrets(), store.root() + "/first");
        std::filesystem::rename(other, store.secrets());
    });
    convertAlone(conversion, watched);
    const std::string sealed = "/" + StoreOnDisk::nameOf(1, "jwe");
    EXPECT_FALSE(std::filesystem::exists((opened < 2 ? other : store.secrets()) + sealed));
}

TEST_F(Convert, IsRefusedWhileAnotherProcessHasTheStore) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    const auto before = store.files();
    {
        const LockingProcess process(store.target().paths.stateDirectory);
        EXPECT_THAT(refusal(Purpose::unseal),
                    HasSubstr("(process " + std::to_string(process.pid()) + ")"));
        EXPECT_EQ(store.files(), before);
    }
    EXPECT_EQ(run(Purpose::unseal), Exit::clean);
}

TEST_F(Convert, IsRefusedWhileAnotherProcessHasTheDirectory) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    const auto before = store.files();
    {
        const LockingProcess process = LockingProcess::ofDirectory(store.secrets());
        EXPECT_THAT(refusal(Purpose::unseal),
                    HasSubstr("cannot lock directory '" + store.secrets() +
                              "', which is in use by command_test (process " +
                              std::to_string(process.pid()) + ")"));
        EXPECT_EQ(store.files(), before);
    }
    EXPECT_EQ(run(Purpose::unseal), Exit::clean);
}

TEST_F(Convert, IsRefusedForKeysThatSecretConfDoesNotAskFor) {
    store.addPlain(1, "value");
    EXPECT_THAT(refusal(Purpose::seal), HasSubstr("does not ask for encryption"));
    EXPECT_EQ(count(".base64"), 1u);
}

} // namespace
} // namespace keyhold::command
