// SPDX-License-Identifier: LGPL-2.1-or-later
// New values in plain beside sealed ones, and plain ones where values are sealed.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Optional;

std::shared_ptr<const SealingPolicy> byDefault(const std::vector<std::uint8_t> &earlier = {}) {
    Keyring keyring;
    for (const std::uint8_t key : earlier)
        keyring.addEarlier(policyWith(key)->keyring().current()->raw());
    SealingPolicy::Rules rules;
    rules.complaint = "nothing names a key";
    rules.isPlainByDefault = true;
    return std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
}

std::shared_ptr<const SealingPolicy> refusing() {
    Keyring keyring;
    keyring.setPrimary(policyWith(1)->keyring().current()->raw());
    SealingPolicy::Rules rules;
    rules.mustSeal = true;
    rules.refusesPlain = true;
    return std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
}

class PlainValuesTest : public testing::Test {
  protected:
    void sealOne() {
        bench.policy->set(policyWith(1));
        store = bench.start();
        store->define(definitionOf(1, "sealed"), allow);
        store->setValue(uuidNumber(1), bytes("sealed value"), allow);
    }
    void startWith(const std::shared_ptr<const SealingPolicy> &policy) {
        store.reset();
        bench.policy->set(policy);
        store = bench.start();
    }
    std::optional<Raised> set(int n) {
        return raisedBy([&] { store->setValue(uuidNumber(n), bytes("new value"), allow); });
    }
    void expectRefusedBecauseOfTheFirst(int n) {
        const auto before = bench.names();
        EXPECT_THAT(set(n),
                    Optional(Field(&Raised::text,
                                   "value is not stored in plain beside sealed ones, such as '" +
                                       bench.path(valueName(1, ValueFormat::jwe)) +
                                       "': nothing names a key")));
        EXPECT_EQ(before, bench.names());
    }

    StoreBench bench;
    std::unique_ptr<SecretStore> store;
};

TEST_F(PlainValuesTest, ANewOneIsNotStoredBesideASealedOne) {
    sealOne();
    for (const auto &policy : {byDefault(), byDefault({1})}) { // unreadable, and readable
        startWith(policy);
        store->define(definitionOf(2), allow);
        expectRefusedBecauseOfTheFirst(2);
        expectRefusedBecauseOfTheFirst(1);
        store->undefine(uuidNumber(2), allow);
    }
}

TEST_F(PlainValuesTest, AReloadThatFindsNoKeyRefusesAsWell) {
    sealOne();
    store->define(definitionOf(2), allow);
    bench.policy->set(byDefault());
    store->reload();
    expectRefusedBecauseOfTheFirst(2);
    store->reencrypt([] { return false; }); // and nothing forgets it
    expectRefusedBecauseOfTheFirst(2);
}

TEST_F(PlainValuesTest, ItIsStoredOnceNoneIsSealed) {
    sealOne();
    startWith(byDefault());
    store->define(definitionOf(2), allow);
    store->undefine(uuidNumber(1), allow);
    EXPECT_EQ(std::nullopt, set(2));
    EXPECT_EQ("=new value", stateOf(*store, 2).value);
}

TEST_F(PlainValuesTest, WhatIsNotServedAsSealedDoesNotCount) {
    sealOne();
    const std::string text = *bench.content(valueName(1, ValueFormat::jwe));
    store->undefine(uuidNumber(1), allow);
    store.reset();
    bench.put(valueName(5, ValueFormat::jwe), text);              // of no secret
    bench.put(valueName(6, ValueFormat::jwe) + ".aside-1", text); // quarantined
    bench.put("other.xml", textOf(definitionOf(7)));              // misnamed
    bench.put(valueName(7, ValueFormat::jwe), text);
    bench.put(xmlName(8), textOf(definitionOf(8)));
    bench.put(valueName(8), base64("plain")); // before the sealed one
    bench.put(valueName(8, ValueFormat::jwe), text);
    startWith(byDefault());
    store->define(definitionOf(2), allow);
    EXPECT_EQ(std::nullopt, set(2));
}

TEST_F(PlainValuesTest, WhereTheyAreRefusedTheFileIsLeftAndOthersAreRead) {
    sealOne();
    bench.put(xmlName(2), textOf(definitionOf(2, "plain")));
    bench.put(valueName(2), base64("plain value"));
    startWith(refusing());
    EXPECT_EQ("=sealed value", stateOf(*store, 1).value);
    EXPECT_EQ("unreadable", stateOf(*store, 2).value);
    EXPECT_THAT(bench.log.lines(),
                Contains(HasSubstr("is not sealed, and plain_values in secret.conf refuses it")));
    EXPECT_EQ(base64("plain value"), bench.content(valueName(2)));

    EXPECT_EQ(std::nullopt, set(2));
    EXPECT_EQ("=new value", stateOf(*store, 2).value);
    for (const std::string &name : bench.names())
        EXPECT_EQ(std::string::npos, name.find("base64"))
            << name << ": the plain text stays on the disk";
}

TEST_F(PlainValuesTest, RefusedOnesAreOneLineWithItsOwnRemedy) {
    sealOne();
    for (const int n : {2, 3, 4}) {
        bench.put(xmlName(n), textOf(definitionOf(n, "plain " + std::to_string(n))));
        bench.put(valueName(n), base64("plain value"));
    }
    const auto told = static_cast<std::ptrdiff_t>(bench.log.lines().size());
    startWith(refusing());
    const auto lines = bench.log.lines();
    EXPECT_THAT(std::vector<std::string>(lines.begin() + told, lines.end()),
                ElementsAre("error: 3 secrets are served without their values, such as '" +
                            uuidNumber(2).toString() + "': '" + bench.path(valueName(2)) +
                            "' is not sealed, and plain_values in secret.conf refuses it; if the "
                            "value is right, write plain_values = \"accept\", reload and run "
                            "'keyhold seal'; if not, set it again; 'keyhold verify --verbose' "
                            "names them all"));
}

TEST_F(PlainValuesTest, AnEmptyFileIsNoValueAndNotRefused) {
    sealOne();
    bench.put(xmlName(2), textOf(definitionOf(2)));
    bench.put(valueName(2), "");
    startWith(refusing());
    EXPECT_EQ("none", stateOf(*store, 2).value);
}

} // namespace
} // namespace keyhold
