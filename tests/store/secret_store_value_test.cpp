// SPDX-License-Identifier: LGPL-2.1-or-later
// Setting and removing values.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mman.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Uuid kUuid = uuidNumber(1);

class SecretStoreValueTest : public testing::Test {
  protected:
    SecretStoreValueTest() {
        bench.fileSystem = &faulty;
        store = bench.start();
        store->define(definitionOf(1, "one"), allow);
        static_cast<void>(store->takeChanges());
    }

    void set(const std::string &value) { store->setValue(kUuid, bytes(value), allow); }
    [[nodiscard]] std::string value() const { return stateOf(*store, 1).value; }
    std::string valueAfterStart() { return bench.stateAfterStart().at(kUuid).value; }

    void putDamaged() {
        bench.put(valueName(1), "damaged");
        store.reset();
        store = bench.start();
        EXPECT_EQ("unreadable", value());
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(SecretStoreValueTest, AValueIsKeptAsItIs) {
    const std::vector<std::string> values = {std::string(1, '\0'), std::string("a\0b\n\xff", 5),
                                             "x", std::string(65536, 'y'),
                                             std::string(1 << 20, 'z')};
    for (const std::string &each : values) {
        set(each);
        EXPECT_TRUE(value() == "=" + each) << each.size();
        EXPECT_TRUE(valueAfterStart() == "=" + each) << each.size();
        EXPECT_EQ(base64(each), bench.content(valueName(1)));
    }
}

TEST_F(SecretStoreValueTest, TheFormatInWhichItIsStoredIsKnown) {
    const auto format = [&] { return store->get(kUuid)->mark.get().format; };
    EXPECT_EQ(format(), 0);
    set("value");
    EXPECT_EQ(format(), only(ValueFormat::plain));
    store->define(described(definitionOf(1, "one"), "changed"), allow);
    EXPECT_EQ(format(), only(ValueFormat::plain));
    bench.policy->set(policyWith(1, {}, true));
    store->reload();
    EXPECT_EQ(format(), only(ValueFormat::plain));
    store->reencrypt([] { return false; });
    EXPECT_EQ(format(), only(ValueFormat::jwe));
    bench.policy->set(policyWith(2));
    store = bench.start();
    EXPECT_EQ(value(), "unreadable");
    EXPECT_EQ(format(), only(ValueFormat::jwe));
    set("");
    EXPECT_EQ(format(), 0);
}

TEST_F(SecretStoreValueTest, EverySetIsToldAlsoOfTheSameValue) {
    set("value");
    set("value");
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 one", "value 1 one"));
}

TEST_F(SecretStoreValueTest, AReaderKeepsTheValueItTook) {
    set("old");
    const RecordPtr taken = store->get(kUuid);
    set("new");
    EXPECT_EQ("=old", stateOf(*taken).value);
    EXPECT_EQ("=new", value());
}

TEST_F(SecretStoreValueTest, SettingAnEmptyValueRemovesItForGood) {
    set("value");
    set("");
    EXPECT_EQ("none", value());
    EXPECT_EQ("none", valueAfterStart());
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    set("");
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 one", "value 1 one", "value 1 one"));
}

TEST_F(SecretStoreValueTest, SettingAValueOfAMissingSecretSaysSoAndAsksNobody) {
    EXPECT_EQ((Raised{ErrorCode::notFound,
                      "no secret with matching uuid '" + uuidNumber(9).toString() + "'"}),
              raisedBy([&] {
                  store->setValue(uuidNumber(9), bytes("x"),
                                  [](const SecretDefinition &) { ADD_FAILURE(); });
              }));
}

TEST_F(SecretStoreValueTest, AValueAboveTheLimitIsRefusedUnread) {
    // Memory that nobody may read.
    void *const memory = ::mmap(nullptr, kMaxValueSize + 1, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(MAP_FAILED, memory);
    const std::span<const std::uint8_t> large(static_cast<const std::uint8_t *>(memory),
                                              kMaxValueSize + 1);
    EXPECT_EQ((Raised{ErrorCode::invalidArgument,
                      "value of secret '" + kUuid.toString() + "' is larger than 268435456 bytes"}),
              raisedBy([&] { store->setValue(kUuid, large, allow); }));
    ::munmap(memory, kMaxValueSize + 1);
    EXPECT_EQ("none", value());
    EXPECT_THAT(takeChanges(*store), IsEmpty());
}

TEST_F(SecretStoreValueTest, AValueThatCouldNotBeStoredIsNotServed) {
    set("old");
    static_cast<void>(store->takeChanges());
    const struct {
        Operation operation;
        std::string name;
        std::string text;
    } steps[] = {{Operation::open, "keyhold-new", "Failed to create file '"},
                 {Operation::write, "keyhold-new", "cannot write data to file '"},
                 {Operation::sync, "keyhold-new", "cannot sync file '"},
                 {Operation::close, "keyhold-new", "cannot save file '"},
                 {Operation::rename, "keyhold-new", "cannot rename file '"},
                 {Operation::sync, "/store", "cannot sync directory '"}};
    for (const auto &step : steps) {
        faulty.fail(step.operation, step.name, ENOSPC);
        EXPECT_THAT(raisedBy([&] { set("new"); })->text, HasSubstr(step.text));
        EXPECT_EQ("=old", value()) << step.text;
        EXPECT_EQ("=old", valueAfterStart()) << step.text;
        EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
    }
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    set("new");
    EXPECT_EQ("=new", valueAfterStart());
}

TEST_F(SecretStoreValueTest, NoErrorAndNoLogLineCarriesAValue) {
    const std::string marker = "MARKER-OF-A-VALUE";
    set(marker);
    bench.put(valueName(1), base64(marker) + "#damaged");
    store->reload();
    faulty.fail(Operation::sync, "", EIO, FaultyFileSystem::kAlways);
    std::string told = raisedBy([&] { set(marker + "2"); })->text;
    for (const std::string &line : bench.log.lines())
        told += line;
    EXPECT_EQ(std::string::npos, told.find("MARKER")) << told;
    EXPECT_EQ(std::string::npos, told.find(base64(marker).substr(0, 12))) << told;
}

TEST_F(SecretStoreValueTest, AnUnreadableValueIsReplacedAndItsFileKept) {
    putDamaged();
    set("new");
    EXPECT_EQ("=new", value());
    EXPECT_EQ("=new", valueAfterStart());
    EXPECT_EQ("damaged", bench.content(valueName(1) + ".aside-1"));
}

TEST_F(SecretStoreValueTest, AnUnreadableValueIsRemovedAndItsFileKept) {
    putDamaged();
    set("");
    EXPECT_EQ("none", valueAfterStart());
    EXPECT_EQ("damaged", bench.content(valueName(1) + ".aside-1"));
}

TEST_F(SecretStoreValueTest, ARedefinitionLeavesAnUnreadableValueAsItIs) {
    putDamaged();
    store->define(described(definitionOf(1, "one"), "text"), allow);
    EXPECT_EQ("unreadable", value());
    EXPECT_EQ("damaged", bench.content(valueName(1)));
}

TEST_F(SecretStoreValueTest, ASecretWithAnUnreadableValueDoesNotBecomeEphemeral) {
    putDamaged();
    const auto raised = raisedBy([&] { store->define(ephemeral(definitionOf(1, "one")), allow); });
    ASSERT_TRUE(raised.has_value());
    EXPECT_EQ(ErrorCode::valueUnreadable, raised->code);
    EXPECT_THAT(raised->text, HasSubstr("cannot become ephemeral"));
    EXPECT_THAT(raised->text, HasSubstr(bench.path(valueName(1))));
    EXPECT_EQ("damaged", bench.content(valueName(1)));
    EXPECT_FALSE(store->hasEphemeral());
}

TEST_F(SecretStoreValueTest, ASecretWithAnUnreadableValueIsUndefinedWithIt) {
    putDamaged();
    store->undefine(kUuid, allow);
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(SecretStoreValueTest, SettingAValueBringsBackADefinitionThatWasDeletedByHand) {
    set("old");
    bench.remove(xmlName(1));
    set("new");
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
    EXPECT_EQ("=new", value());
}

TEST_F(SecretStoreValueTest, RemovingAValueOfADeletedDefinitionRemovesItsFile) {
    set("old");
    bench.remove(xmlName(1));
    set("");
    EXPECT_EQ("none", value());
    EXPECT_THAT(bench.names(), IsEmpty());
}

} // namespace
} // namespace keyhold
