// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_copy.h"
#include "conf/error.h"
#include "directory/layout.h"
#include "directory/store_files.h"
#include "os/faulty_file_system.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

/// A secret with files that are exchanged while it is read.
class SecretCopyTest : public testing::Test {
  protected:
    /// As the driver does it: each file is a new one that takes a name.
    void replace(const std::string &suffix, const std::string &content) const {
        const std::string staged = store.secrets() + "/staged";
        writePrivateFile(staged, content);
        std::filesystem::rename(staged, pathOf(suffix));
    }
    void setPair(const std::string &n) const {
        replace("xml", definition(n));
        replace("base64", values.at(n));
    }
    [[nodiscard]] std::string pathOf(const std::string &suffix) const {
        return store.secrets() + "/" + StoreFiles::nameOf(1, suffix);
    }
    static std::string definition(const std::string &n) {
        return "<secret><uuid>" + uuid.toString() + "</uuid><usage type='ceph'><name>" + n +
               "</name></usage></secret>";
    }
    std::optional<SecretCopy> copy() {
        return copySecret(StoreDirectory(fileSystem, store.secrets()), *policy, uuid,
                          [this] { return retries-- > 0; });
    }
    std::string refusal() {
        try {
            static_cast<void>(copy());
        } catch (const Error &error) {
            return error.fullText();
        }
        return "none";
    }
    static std::string textOf(const SecretCopy &copied) {
        const auto bytes = copied.file->bytes();
        return {bytes.begin(), bytes.end()};
    }
    static std::vector<StoreFinding::Kind> kindsOf(const SecretCopy &copied) {
        std::vector<StoreFinding::Kind> kinds;
        for (const StoreFinding &finding : copied.findings)
            kinds.push_back(finding.kind);
        return kinds;
    }
    /// Runs `change` before the value is read: each name is first opened to hold it.
    void beforeTheValueIsRead(const std::function<void()> &change, int times = 1) {
        changes = times;
        fileSystem.before(Operation::open, StoreFiles::nameOf(1, "base64"), [this, change] {
            if (++opened % 2 == 0 && changes-- > 0)
                change();
        });
    }

    inline static const Uuid uuid = StoreFiles::uuid(1);
    const std::map<std::string, std::string> values = {{"one", "b25l"}, {"two", "dHdv"}};
    StoreFiles store;
    FaultyFileSystem fileSystem{posixFileSystem()};
    int retries = 0;
    std::shared_ptr<const SealingPolicy> policy = policyOf(0);
    int opened = 0;
    int changes = 0;
};

TEST_F(SecretCopyTest, IsTheFilesByteForByte) {
    setPair("one");
    const auto copied = copy();
    ASSERT_TRUE(copied && copied->definition);
    EXPECT_EQ(copied->definitionText, definition("one"));
    EXPECT_EQ(textOf(*copied), "b25l");
    EXPECT_EQ(copied->format, ValueFormat::plain);
    EXPECT_TRUE(copied->findings.empty());
}

TEST_F(SecretCopyTest, ADefinitionAndAValueOfTwoMomentsAreReadAgain) {
    setPair("one");
    beforeTheValueIsRead([this] { setPair("two"); });
    retries = 1;
    const auto copied = copy();
    ASSERT_TRUE(copied && copied->definition);
    EXPECT_EQ(copied->definition->usage.id, "two");
    EXPECT_EQ(textOf(*copied), "dHdv");
    EXPECT_EQ(retries, 0);
}

TEST_F(SecretCopyTest, AValueThatChangesBetweenTheLooksCounts) {
    setPair("one");
    beforeTheValueIsRead([this] { replace("base64", "dHdv"); });
    retries = 1;
    EXPECT_EQ(textOf(*copy()), "dHdv");
    EXPECT_EQ(retries, 0);
}

TEST_F(SecretCopyTest, AValueOfAnotherFormatThatComesUntilThenIsSeen) {
    setPair("one");
    beforeTheValueIsRead([this] {
        store.addSealed(1, "sealed", 7);
        std::filesystem::remove(pathOf("base64"));
    });
    retries = 1;
    EXPECT_EQ(copy()->format, ValueFormat::jwe);
}

TEST_F(SecretCopyTest, OneThatNeverHoldsStillIsNamed) {
    setPair("one");
    bool isOne = true;
    beforeTheValueIsRead([&] { setPair((isOne = !isOne) ? "one" : "two"); }, 100);
    retries = 5;
    EXPECT_THAT(refusal(), HasSubstr(uuid.toString()));
    EXPECT_EQ(retries, -1);
}

TEST_F(SecretCopyTest, AValueThatIsOnItsWayToItsNameIsWaitedFor) {
    replace("xml", definition("one"));
    const std::string hash = layout::hashOfDefinition(definition("one"));
    for (const std::string &name :
         {layout::awaitingValueName(uuid, ValueFormat::plain, hash),
          layout::valueName(uuid, ValueFormat::plain, layout::Stage::leaving)}) {
        writePrivateFile(store.secrets() + "/" + name, "b25l");
        retries = 2;
        EXPECT_THAT(refusal(), HasSubstr("interrupted change")) << name;
        EXPECT_EQ(retries, -1);
        std::filesystem::rename(store.secrets() + "/" + name, pathOf("base64"));
        retries = 0;
        EXPECT_EQ(textOf(*copy()), "b25l");
        std::filesystem::remove(pathOf("base64"));
    }
}

TEST_F(SecretCopyTest, AValueThatWaitsForAnotherDefinitionIsNotWaitedFor) {
    replace("xml", definition("one"));
    const std::string hash = layout::hashOfDefinition(definition("two"));
    store.put(layout::awaitingValueName(uuid, ValueFormat::plain, hash), "b25l");
    EXPECT_FALSE(copy()->format);
}

TEST_F(SecretCopyTest, OneThatGoesIsNone) {
    EXPECT_FALSE(copy());
    setPair("one");
    beforeTheValueIsRead([this] {
        std::filesystem::remove(pathOf("base64"));
        std::filesystem::remove(pathOf("xml"));
    });
    retries = 1;
    EXPECT_FALSE(copy());
}

TEST_F(SecretCopyTest, WhatCannotBeCopiedIsAFinding) {
    using Kind = StoreFinding::Kind;
    retries = 0;
    setPair("one");
    replace("jwe", "hidden");
    EXPECT_THAT(kindsOf(*copy()), testing::ElementsAre(Kind::shadowedValue));
    replace("base64", "no base64!");
    const auto damaged = copy();
    EXPECT_THAT(kindsOf(*damaged), testing::ElementsAre(Kind::damagedValue, Kind::shadowedValue));
    EXPECT_TRUE(damaged->definition);
    EXPECT_FALSE(damaged->format);
    replace("xml", "<secret>");
    const auto broken = copy();
    EXPECT_FALSE(broken->definition);
    EXPECT_THAT(kindsOf(*broken), testing::ElementsAre(Kind::unreadableDefinition,
                                                       Kind::orphanedValue, Kind::orphanedValue));
}

TEST_F(SecretCopyTest, ARefusedValueIsLeftOutForThatReason) {
    setPair("one");
    SealingPolicy::Rules rules;
    rules.mustSeal = rules.refusesPlain = true;
    policy = policyOf(7, {}, rules);
    const auto refused = copy();
    EXPECT_THAT(kindsOf(*refused), testing::ElementsAre(StoreFinding::Kind::refusedPlain));
    EXPECT_FALSE(refused->format);
}

TEST_F(SecretCopyTest, AValueWhoseKeyIsNotHereIsCopied) {
    store.addSealed(1, "sealed", 7);
    const auto copied = copy();
    EXPECT_EQ(copied->format, ValueFormat::jwe);
    EXPECT_EQ(copied->keyId, keyIdOf(7));
    EXPECT_TRUE(copied->value.isUnreadable());
    EXPECT_TRUE(copied->findings.empty());
}

} // namespace
} // namespace keyhold::command
