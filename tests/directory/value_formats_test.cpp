// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of the value files of one secret counts, and what becomes of the others.
#include "store/secret_store.h"

#include "conf/raised.h"
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
// The value of no bytes, under the same key.
constexpr const char *kEmptyCbc = "AAECAwQFBgcICQoLDA0OD6w7UcjJVzgZll8dfIoGMtg=";

class ValueFormsTest : public testing::Test {
  protected:
    ValueFormsTest() {
        bench.policy->set(policyWith(1));
        auto store = bench.start();
        store->define(definitionOf(1, "one"), allow);
        store->setValue(uuidNumber(1), bytes("sealed value"), allow);
    }

    std::string valueAfterStart() { return bench.stateAfterStart().at(uuidNumber(1)).value; }
    void putPlain(const std::string &text) { bench.put(valueName(1), text); }
    void putCbc() { bench.put(valueName(1, ValueFormat::aes256cbc), kCbc); }
    [[nodiscard]] std::string sealedName() const { return valueName(1, ValueFormat::jwe); }
    void setNew() { bench.start()->setValue(uuidNumber(1), bytes("new value"), allow); }

    StoreBench bench;
};

TEST_F(ValueFormsTest, ASealedValueHasOneFileThatIsNotPlain) {
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), sealedName()));
    EXPECT_THAT(*bench.content(sealedName()), testing::Not(HasSubstr("sealed value")));
    EXPECT_EQ(valueAfterStart(), "=sealed value");
}

TEST_F(ValueFormsTest, CbcCountsBeforeSealed) {
    putCbc();
    EXPECT_EQ(valueAfterStart(), "=old value");
}

TEST_F(ValueFormsTest, PlainCountsBeforeBoth) {
    putCbc();
    putPlain(base64("plain value") + "\n");
    EXPECT_EQ(valueAfterStart(), "=plain value");
}

TEST_F(ValueFormsTest, ABlankPlainFileDoesNotCount) {
    for (const std::string blank : {"", "\n", " \t\n"}) {
        putPlain(blank);
        EXPECT_EQ(valueAfterStart(), "=sealed value");
    }
}

TEST_F(ValueFormsTest, AnEmptyValueIsNoValueInEveryForm) {
    const auto rules = bench.policy->get();
    bench.remove(sealedName());
    for (const ValueFormat form : {ValueFormat::plain, ValueFormat::jwe}) {
        rules->encode(form, uuidNumber(1), {}, [&](auto text) {
            bench.put(valueName(1, form), {text.begin(), text.end()});
        });
        EXPECT_EQ(valueAfterStart(), "none") << valueFormatName(form);
        bench.remove(valueName(1, form));
    }
    bench.put(valueName(1, ValueFormat::aes256cbc), kEmptyCbc);
    EXPECT_EQ(valueAfterStart(), "none");
}

TEST_F(ValueFormsTest, AnEmptyFileOfAFormLeavesTheNextOneToCount) {
    bench.put(valueName(1, ValueFormat::aes256cbc), kEmptyCbc);
    EXPECT_EQ(valueAfterStart(), "=sealed value");
}

TEST_F(ValueFormsTest, ADamagedPlainFileCountsAndCannotBeRead) {
    putPlain("not base64!");
    EXPECT_EQ(valueAfterStart(), "unreadable");
}

TEST_F(ValueFormsTest, APlainFileThatAppearsIsTakenOverByAReload) {
    const auto store = bench.start();
    putPlain(base64("plain value") + "\n");
    store->reload();
    EXPECT_EQ(stateOf(*store, 1).value, "=plain value");
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 one"));
    bench.remove(valueName(1));
    store->reload();
    EXPECT_EQ(stateOf(*store, 1).value, "=sealed value");
}

TEST_F(ValueFormsTest, SettingAValueLeavesItsFormAlone) {
    putCbc();
    putPlain(base64("plain value"));
    setNew();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), sealedName()));
    EXPECT_EQ(valueAfterStart(), "=new value");

    putCbc();
    bench.policy->set(policyWith(0, {1}));
    setNew();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
    EXPECT_EQ(bench.content(valueName(1)), base64("new value"));
}

TEST_F(ValueFormsTest, SettingAnEmptyValueRemovesAllForms) {
    putCbc();
    putPlain(base64("plain value"));
    bench.start()->setValue(uuidNumber(1), {}, allow);
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    EXPECT_EQ(valueAfterStart(), "none");
}

TEST_F(ValueFormsTest, UndefiningRemovesAllForms) {
    putCbc();
    putPlain(base64("plain value"));
    bench.start()->undefine(uuidNumber(1), allow);
    EXPECT_THAT(bench.names(), ElementsAre());
}

TEST_F(ValueFormsTest, WithoutItsKeyASealedValueCannotBeReadAndNamesItsFile) {
    bench.policy->set(policyWith(2));
    EXPECT_EQ(valueAfterStart(), "unreadable");
    const Value value = bench.start()->get(uuidNumber(1))->value;
    EXPECT_EQ(value.reason().code(), ErrorCode::invalidEncryptionKey);
    EXPECT_THAT(value.reason().message(), HasSubstr(bench.path(sealedName())));
    EXPECT_THAT(value.reason().message(), HasSubstr(policyWith(1)->keyring().current()->id()));
}

TEST_F(ValueFormsTest, WhatCannotBeReadIsKeptWhenAValueIsSet) {
    const auto sealed = bench.content(sealedName());
    bench.policy->set(policyWith(2));
    setNew();
    EXPECT_EQ(valueAfterStart(), "=new value");
    EXPECT_THAT(bench.names(),
                UnorderedElementsAre(xmlName(1), sealedName(), sealedName() + ".aside-1"));
    EXPECT_EQ(bench.content(sealedName() + ".aside-1"), sealed);

    // Of every form, each under a name of its own.
    putPlain("damaged!");
    bench.put(sealedName(), *sealed);
    setNew();
    EXPECT_EQ(bench.content(valueName(1) + ".aside-1"), "damaged!");
    EXPECT_EQ(bench.content(sealedName() + ".aside-2"), sealed);
    EXPECT_EQ(valueAfterStart(), "=new value");
}

TEST_F(ValueFormsTest, AFileThatWasKeptOpensAgainUnderItsName) {
    bench.policy->set(policyWith(2));
    setNew();
    bench.put(sealedName(), *bench.content(sealedName() + ".aside-1"));
    bench.policy->set(policyWith(2, {1}));
    EXPECT_EQ(valueAfterStart(), "=sealed value");
}

TEST_F(ValueFormsTest, ASealedFileOfAnotherSecretIsRefused) {
    {
        auto store = bench.start();
        store->define(definitionOf(2, "two"), allow);
        store->setValue(uuidNumber(2), bytes("value of two"), allow);
    }
    const auto one = bench.content(sealedName());
    bench.put(sealedName(), *bench.content(valueName(2, ValueFormat::jwe)));
    bench.put(valueName(2, ValueFormat::jwe), *one);
    for (const auto &[uuid, state] : bench.stateAfterStart())
        EXPECT_EQ(state.value, "unreadable");
}

TEST_F(ValueFormsTest, WhereValuesMustBeSealedAndCannotNothingIsWritten) {
    Keyring keyring;
    keyring.addEarlier(policyWith(1)->keyring().current()->raw());
    bench.policy->set(std::make_shared<const SealingPolicy>(
        std::move(keyring), SealingPolicy::Rules{.mustSeal = true,
                                                 .convertExisting = true,
                                                 .complaint = "'/key' is gone"}));
    auto store = bench.start();
    const auto before = bench.names();
    const auto raised =
        raisedBy([&] { store->setValue(uuidNumber(1), bytes("new value"), allow); });
    ASSERT_TRUE(raised);
    EXPECT_EQ(raised->code, ErrorCode::invalidEncryptionKey);
    EXPECT_THAT(raised->text, HasSubstr("'/key' is gone"));
    EXPECT_EQ(bench.names(), before);
    EXPECT_EQ(stateOf(*store, 1).value, "=sealed value");

    // What writes no value goes on, and so does what is not stored.
    store->define(definitionOf(2, "two"), allow);
    store->define(ephemeral(definitionOf(3, "three")), allow);
    store->setValue(uuidNumber(3), bytes("in memory"), allow);
    EXPECT_EQ(stateOf(*store, 3).value, "=in memory");
    EXPECT_TRUE(raisedBy([&] { store->define(definitionOf(3, "three"), allow); }));
    EXPECT_FALSE(bench.content(xmlName(3)));
}

TEST_F(ValueFormsTest, AValueFileWithoutDefinitionIsQuarantinedWhateverItsForm) {
    bench.remove(xmlName(1));
    putCbc();
    const auto sealed = bench.content(sealedName());
    auto store = bench.start();
    store->define(definitionOf(1, "one"), allow);
    EXPECT_EQ(stateOf(*store, 1).value, "none");
    EXPECT_EQ(valueAfterStart(), "none");
    EXPECT_EQ(bench.content(sealedName() + ".aside-1"), sealed);
    EXPECT_EQ(bench.content(valueName(1, ValueFormat::aes256cbc) + ".aside-1"), kCbc);
}

} // namespace
} // namespace keyhold
