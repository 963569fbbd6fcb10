// SPDX-License-Identifier: LGPL-2.1-or-later
// Values that libvirt encrypted: nothing in them proves a key, so nothing is staked on one.
#include "store/secret_store.h"

#include "seal/misleading_key.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// "old value" as libvirt writes it: AES-256-CBC under 32 bytes of 1; made with Python's
// `cryptography`.
constexpr const char *kCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";
constexpr const char *kMissing = "key file '/right' is empty; put it right";

bool never() {
    return false;
}

std::array<std::uint8_t, Key::kSize> bytesOfKey(std::uint8_t number) {
    std::array<std::uint8_t, Key::kSize> raw{};
    raw.fill(number);
    return raw;
}

/// Secret 1, whose only value file is one that libvirt encrypted with key 1.
class UnprovenValuesTest : public testing::Test {
  protected:
    UnprovenValuesTest() {
        bench.put(xmlName(1), textOf(definitionOf(1, "one")));
        bench.put(cbcName(), kCbc);
    }

    /// Key `primary` seals, unless it is 0; `earlier` opens. All values are to be sealed.
    void configure(std::uint8_t primary, std::span<const std::uint8_t> earlier,
                   const char *missing = nullptr, bool isPlain = false) {
        Keyring keyring;
        if (primary != 0)
            keyring.setPrimary(bytesOfKey(primary));
        if (!earlier.empty())
            keyring.addEarlier(earlier.first<Key::kSize>());
        if (missing)
            keyring.noteMissing(missing);
        bench.policy->set(std::make_shared<const SealingPolicy>(
            std::move(keyring), SealingPolicy::Rules{.mustSeal = !isPlain,
                                                     .convertExisting = true,
                                                     .complaint = "there is none"}));
    }
    [[nodiscard]] static std::string cbcName() { return valueName(1, ValueFormat::aes256cbc); }
    [[nodiscard]] static std::string sealedName() { return valueName(1, ValueFormat::jwe); }

    StoreBench bench;
    const std::array<std::uint8_t, Key::kSize> wrong = misleadingKey(kCbc);
};

TEST_F(UnprovenValuesTest, WhatOnlyAnEarlierKeyOpensIsRefusedWhileAKeyIsMissing) {
    configure(2, wrong, kMissing);
    const auto store = bench.start();
    const Value value = store->get(uuidNumber(1))->value;
    ASSERT_TRUE(value.isUnreadable());
    EXPECT_EQ(value.reason().code(), ErrorCode::invalidEncryptionKey);
    EXPECT_THAT(value.reason().message(), HasSubstr(bench.path(cbcName())));
    EXPECT_THAT(value.reason().message(), HasSubstr(kMissing));
    store->reencrypt(never);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), cbcName()));
    EXPECT_EQ(bench.content(cbcName()), kCbc);
}

TEST_F(UnprovenValuesTest, WhatThePrimaryKeyOpensIsServedAndNotConvertedWhileAKeyIsMissing) {
    configure(1, {}, kMissing);
    const auto store = bench.start();
    EXPECT_EQ(stateOf(*store, 1).value, "=old value");
    store->reencrypt(never);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), cbcName()));
    EXPECT_TRUE(bench.log.mentions("value of secret '" + uuidNumber(1).toString() +
                                   "' was not re-encrypted: "));
    EXPECT_TRUE(bench.log.mentions(std::string("a configured key could not be read: ") + kMissing));
}

TEST_F(UnprovenValuesTest, TheWayBackToPlainConvertsNoneWhileAKeyIsMissing) {
    configure(0, wrong, kMissing, true);
    bench.start()->reencrypt(never);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), cbcName()));
    configure(1, {}, kMissing, true);
    bench.start()->reencrypt(never);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), cbcName()));
}

TEST_F(UnprovenValuesTest, AReloadSeesThatAKeyHasGone) {
    configure(2, bytesOfKey(1));
    const auto store = bench.start();
    EXPECT_EQ(stateOf(*store, 1).value, "=old value");
    configure(2, bytesOfKey(1), kMissing);
    store->reload();
    EXPECT_TRUE(bench.log.mentions(kMissing)) << "the file is the same, what it says is not";
}

TEST_F(UnprovenValuesTest, TheOriginalIsQuarantinedWhenItIsConverted) {
    for (const bool isPlain : {false, true}) {
        configure(1, {}, nullptr, isPlain);
        const std::string converted = isPlain ? valueName(1) : sealedName();
        bench.start()->reencrypt(never);
        EXPECT_EQ(bench.stateAfterStart().at(uuidNumber(1)).value, "=old value");
        EXPECT_THAT(bench.names(),
                    UnorderedElementsAre(xmlName(1), converted, cbcName() + ".aside-1"));
        EXPECT_EQ(bench.content(cbcName() + ".aside-1"), kCbc);
        EXPECT_TRUE(bench.log.mentions("it is now '" + bench.path(cbcName()) + ".aside-1'"));
        bench.remove(converted);
        bench.remove(cbcName() + ".aside-1");
        bench.put(cbcName(), kCbc);
    }
}

// The wrong key has passed, and its garbage is the value: the file that it came from can be opened
// once the right key is there.
TEST_F(UnprovenValuesTest, WhatAWrongKeySealedCanBeBroughtBack) {
    configure(2, wrong);
    bench.start()->reencrypt(never);
    EXPECT_NE(bench.stateAfterStart().at(uuidNumber(1)).value, "=old value");
    bench.put(cbcName(), *bench.content(cbcName() + ".aside-1"));
    configure(2, bytesOfKey(1));
    EXPECT_EQ(bench.stateAfterStart().at(uuidNumber(1)).value, "=old value");
}

TEST_F(UnprovenValuesTest, OneThatDoesNotCountIsQuarantinedWhenThePlainOneIsSealed) {
    configure(1, {});
    bench.put(valueName(1), base64("plain value"));
    bench.start()->reencrypt(never);
    EXPECT_THAT(bench.names(),
                UnorderedElementsAre(xmlName(1), sealedName(), cbcName() + ".aside-1"));
}

TEST_F(UnprovenValuesTest, AClientsValueKeepsTheOldFileWhileAKeyIsMissing) {
    configure(1, {}, kMissing);
    bench.start()->setValue(uuidNumber(1), bytes("new value"), allow);
    EXPECT_EQ(bench.content(cbcName() + ".aside-1"), kCbc);

    bench.put(cbcName(), kCbc);
    bench.start()->setValue(uuidNumber(1), {}, allow);
    EXPECT_THAT(bench.names(),
                UnorderedElementsAre(xmlName(1), cbcName() + ".aside-1", cbcName() + ".aside-2"));
}

TEST_F(UnprovenValuesTest, AClientsValueTakesItsPlaceWhileAllKeysAreThere) {
    configure(1, {});
    bench.start()->setValue(uuidNumber(1), bytes("new value"), allow);
    EXPECT_THAT(bench.names(), ElementsAre(sealedName(), xmlName(1)));
}

} // namespace
} // namespace keyhold
