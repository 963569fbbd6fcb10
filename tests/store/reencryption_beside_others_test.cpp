// SPDX-License-Identifier: LGPL-2.1-or-later
// What people and tools put into the directory while a value is re-encrypted.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

namespace keyhold {
namespace {

using testing::UnorderedElementsAre;

bool never() {
    return false;
}

/// Secret 1 with the sealed value "old", which is to be written under another key or in plain.
class ReencryptionBesideOthersTest : public testing::Test {
  protected:
    ReencryptionBesideOthersTest() {
        bench.fileSystem = &faulty;
        bench.policy->set(policyWith(1));
        auto first = bench.start();
        first->define(definitionOf(1, "one"), allow);
        first->setValue(uuidNumber(1), bytes("other"), allow);
        other = *bench.content(sealedName());
        first->setValue(uuidNumber(1), bytes("old"), allow);
        faulty.clearCounts();
    }

    [[nodiscard]] static std::string sealedName() { return valueName(1, ValueFormat::jwe); }

    /// Other content of the same file, as an editor may write it.
    void writeInto(const std::string &name, const std::string &content) {
        const int directory = bench.disk.openDirectory(StoreBench::kDirectory);
        const int file = bench.disk.open(directory, name.c_str(), O_WRONLY | O_TRUNC, 0);
        EXPECT_EQ(bench.disk.write(file, content.data(), content.size()),
                  static_cast<ssize_t>(content.size()));
        bench.disk.close(file);
        bench.disk.close(directory);
    }

    /// Re-encrypts by `rules`, and does something of somebody else's at the first such call.
    void reencrypt(const std::shared_ptr<const SealingPolicy> &rules, Operation operation,
                   const std::string &name, const std::function<void()> &doing) {
        bench.policy->set(rules);
        store = bench.start();
        bool isDone = false;
        faulty.before(operation, name, [&] {
            if (!std::exchange(isDone, true))
                doing();
        });
        store->reencrypt(never);
        EXPECT_TRUE(isDone);
        faulty.clearFaults();
    }

    void expectTheirs(const std::string &value) {
        EXPECT_TRUE(bench.log.mentions("was changed by somebody else while the value was "
                                       "re-encrypted"));
        store->reload();
        EXPECT_EQ(stateOf(*store, 1).value, value);
        EXPECT_EQ(bench.stateAfterStart().at(uuidNumber(1)).value, value);
        for (const std::string &name : bench.names())
            EXPECT_EQ(name.find("keyhold-"), std::string::npos) << name;
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::string other; ///< the text of another value, sealed with key 1
    std::unique_ptr<SecretStore> store;
};

TEST_F(ReencryptionBesideOthersTest, APlainFileThatAppearsBeforeTheWriteCounts) {
    reencrypt(policyWith(2, {1}), Operation::sync, "keyhold-new",
              [&] { bench.put(valueName(1), base64("theirs")); });
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1), sealedName()));
    expectTheirs("=theirs");
}

TEST_F(ReencryptionBesideOthersTest, APlainFileThatAppearsAfterTheWriteCounts) {
    reencrypt(policyWith(2, {1}), Operation::sync, StoreBench::kDirectory,
              [&] { bench.put(valueName(1), base64("theirs")); });
    expectTheirs("=theirs");
}

TEST_F(ReencryptionBesideOthersTest, APlainFileThatIsWrittenToAfterTheWriteCounts) {
    bench.put(valueName(1), base64("plain"));
    reencrypt(policyWith(1, {}, true), Operation::sync, StoreBench::kDirectory,
              [&] { writeInto(valueName(1), base64("theirs")); });
    expectTheirs("=theirs");
}

TEST_F(ReencryptionBesideOthersTest, AFileThatIsReplacedBeforeTheWriteStays) {
    reencrypt(policyWith(2, {1}), Operation::sync, "keyhold-new",
              [&] { bench.put(sealedName(), other); });
    EXPECT_EQ(bench.content(sealedName()), other);
    expectTheirs("=other");
}

TEST_F(ReencryptionBesideOthersTest, AFileThatIsWrittenToBeforeTheWriteStays) {
    reencrypt(policyWith(2, {1}), Operation::sync, "keyhold-new",
              [&] { writeInto(sealedName(), other); });
    EXPECT_EQ(bench.content(sealedName()), other);
    expectTheirs("=other");
}

TEST_F(ReencryptionBesideOthersTest, AFileThatIsReplacedAtTheLastMomentComesBack) {
    reencrypt(policyWith(2, {1}), Operation::link, sealedName() + " -> ",
              [&] { bench.put(sealedName(), other); });
    EXPECT_EQ(bench.content(sealedName()), other);
    expectTheirs("=other");
}

TEST_F(ReencryptionBesideOthersTest, AFileOfAnotherFormThatIsReplacedAtTheLastMomentComesBack) {
    bench.put(valueName(1), base64("plain"));
    reencrypt(policyWith(1, {}, true), Operation::rename, valueName(1) + " -> ",
              [&] { bench.put(valueName(1), base64("theirs")); });
    EXPECT_EQ(bench.content(valueName(1)), base64("theirs"));
    expectTheirs("=theirs");
}

TEST_F(ReencryptionBesideOthersTest, AFileThatIsTakenAwayInBetweenIsNotBroughtBack) {
    reencrypt(policyWith(2, {1}), Operation::sync, "keyhold-new",
              [&] { bench.remove(sealedName()); });
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1)));
    expectTheirs("none");
}

TEST_F(ReencryptionBesideOthersTest, ASealedFileThatIsReplacedWhileTheValueBecomesPlainCounts) {
    reencrypt(policyWith(0, {1}, true), Operation::sync, StoreBench::kDirectory,
              [&] { bench.put(sealedName(), other); });
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), sealedName()));
    expectTheirs("=other");
}

TEST_F(ReencryptionBesideOthersTest, ASealedFileThatIsReplacedAtTheLastMomentCounts) {
    reencrypt(policyWith(0, {1}, true), Operation::rename, sealedName() + " -> ",
              [&] { bench.put(sealedName(), other); });
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), sealedName()));
    expectTheirs("=other");
}

TEST_F(ReencryptionBesideOthersTest, AnOlderFileThatDoesNotCountGoes) {
    bench.put(valueName(1), base64("plain"));
    bench.policy->set(policyWith(0, {1}, true));
    store = bench.start();
    store->reencrypt(never);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
    EXPECT_EQ(stateOf(*store, 1).value, "=plain");
}

TEST_F(ReencryptionBesideOthersTest, AFileThatCannotGetItsNameBackIsNamed) {
    faulty.fail(Operation::rename, "keyhold-old -> ", EIO);
    reencrypt(policyWith(2, {1}), Operation::link, sealedName() + " -> ",
              [&] { bench.put(sealedName(), other); });
    EXPECT_TRUE(bench.log.mentions("cannot give '" + bench.path(sealedName()) +
                                   ".keyhold-old', which somebody has just put there"));
    EXPECT_EQ(bench.content(sealedName() + ".keyhold-old"), other);
}

} // namespace
} // namespace keyhold
