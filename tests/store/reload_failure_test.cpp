// SPDX-License-Identifier: LGPL-2.1-or-later
// What became unreadable stays as it was; an unmounted store loses nothing.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "store/degraded_backend.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <utility>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ReloadFailureTest : public testing::Test {
  protected:
    ReloadFailureTest() {
        bench.fileSystem = &faulty;
        store = bench.start();
        store->define(definitionOf(1, "one"), allow);
        store->setValue(uuidNumber(1), bytes("old"), allow);
        store->define(definitionOf(2, "two"), allow);
        static_cast<void>(store->takeChanges());
    }

    /// A reload that has something to say but changes nothing.
    void expectAllKept(const std::string &line) {
        const StoreState before = stateOf(*store);
        store->reload();
        EXPECT_EQ(before, stateOf(*store));
        EXPECT_THAT(takeChanges(*store), IsEmpty());
        EXPECT_TRUE(bench.log.mentions(line)) << testing::PrintToString(bench.log.lines());
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(ReloadFailureTest, AGarbledDefinitionKeepsTheOldState) {
    bench.put(xmlName(1), "garbage");
    bench.put(valueName(1), base64("new"));
    expectAllKept("error: Error reading secret: " + bench.path(xmlName(1)));
}

TEST_F(ReloadFailureTest, AnUnreadableDefinitionKeepsTheOldState) {
    faulty.fail(Operation::open, xmlName(1), EACCES);
    expectAllKept("cannot open '" + bench.path(xmlName(1)) + "': Permission denied");
    bench.remove(xmlName(1));
    bench.disk.putDirectory(bench.path(xmlName(1)));
    expectAllKept("'" + bench.path(xmlName(1)) + "' is not a regular file");
    bench.remove(xmlName(1));
    bench.disk.putDanglingLink(bench.path(xmlName(1)));
    expectAllKept("cannot open '" + bench.path(xmlName(1)) + "': No such file or directory");
}

TEST_F(ReloadFailureTest, AWrongUuidInsideKeepsTheOldState) {
    bench.put(xmlName(1), textOf(definitionOf(3, "three")));
    expectAllKept("<uuid> does not match secret file name '" + xmlName(1) + "'");
}

TEST_F(ReloadFailureTest, AnUnreadableValueKeepsTheOldOne) {
    faulty.fail(Operation::open, valueName(1), EACCES);
    expectAllKept("error: secret '" + uuidNumber(1).toString() +
                  "' keeps the value it had: cannot open '" + bench.path(valueName(1)) +
                  "': Permission denied");
    bench.put(valueName(1), "damaged");
    expectAllKept("'" + bench.path(valueName(1)) + "' is not base64");
    bench.remove(valueName(1));
    bench.disk.putDirectory(bench.path(valueName(1)));
    expectAllKept("'" + bench.path(valueName(1)) + "' is not a regular file");
}

TEST_F(ReloadFailureTest, ADefinitionIsTakenOverThoughItsValueBecameUnreadable) {
    bench.put(xmlName(1), textOf(described(definitionOf(1, "one"), "text")));
    bench.put(valueName(1), "damaged");
    store->reload();
    EXPECT_EQ((SecretState{textOf(described(definitionOf(1, "one"), "text")), "=old"}),
              stateOf(*store, 1));
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
}

TEST_F(ReloadFailureTest, WhereThereWasNoValueAnUnreadableOneSaysWhy) {
    bench.put(valueName(2), "damaged");
    store->reload();
    EXPECT_THAT(store->get(uuidNumber(2))->value.reason().message(), HasSubstr("is not base64"));
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 2 two"));
}

TEST_F(ReloadFailureTest, ThePresentReasonIsTheOneThatReadersGet) {
    bench.put(valueName(2), "damaged");
    store->reload();
    static_cast<void>(store->takeChanges());
    faulty.fail(Operation::open, valueName(2), EACCES);
    store->reload();
    EXPECT_THAT(store->get(uuidNumber(2))->value.reason().message(),
                HasSubstr("Permission denied"));
    EXPECT_THAT(takeChanges(*store), IsEmpty());
}

TEST_F(ReloadFailureTest, ARepairedValueIsServedAgain) {
    bench.put(valueName(2), "damaged");
    store->reload();
    bench.put(valueName(2), base64("repaired"));
    static_cast<void>(store->takeChanges());
    store->reload();
    EXPECT_EQ("=repaired", stateOf(*store, 2).value);
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 2 two"));
}

TEST_F(ReloadFailureTest, ADirectoryThatIsSuddenlyEmptyDropsNothing) {
    for (const std::string &name : bench.names())
        bench.remove(name);
    expectAllKept("error: '/store' holds no definition any more, as if it were not mounted");
}

TEST_F(ReloadFailureTest, ADirectoryThatIsGoneDropsNothing) {
    bench.disk.removeAll("/store");
    expectAllKept("'/store' no longer leads to the directory that was opened at start");
    bench.disk.putDirectory("/store");
    expectAllKept("'/store' holds no definition any more");
}

TEST_F(ReloadFailureTest, ADirectoryThatSomethingWasMountedOverIsReadOn) {
    ASSERT_EQ(0, bench.disk.rename(bench.disk.openDirectory("/"), "store", "elsewhere"));
    bench.disk.putFile("/store/" + xmlName(9), textOf(definitionOf(9)));
    expectAllKept("'/store' no longer leads to the directory that was opened at start");
    EXPECT_FALSE(stateOf(*store).contains(uuidNumber(9)));
}

TEST_F(ReloadFailureTest, AListThatCannotBeReadToItsEndDropsNothing) {
    bench.remove(xmlName(2));
    faulty.fail(Operation::list, "", EIO, 1, FaultyFileSystem::Effect::done);
    expectAllKept(
        "error: Error reading secret: cannot read directory '/store': Input/output error");
    store->reload();
    EXPECT_THAT(takeChanges(*store), ElementsAre("undefined 2 two"));
}

TEST_F(ReloadFailureTest, AFileMissedByTheListIsLookedForBeforeItsSecretIsDropped) {
    // As when a tool removes a file and writes it again while the directory is read.
    const std::string text = textOf(described(definitionOf(2, "two"), "written again"));
    bench.remove(xmlName(2));
    faulty.before(Operation::open, xmlName(2), [&] { bench.put(xmlName(2), text); });
    store->reload();
    EXPECT_EQ(text, stateOf(*store, 2).xml);
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 2 two"));
}

TEST_F(ReloadFailureTest, AnEphemeralSecretWhoseValueCannotBeStoredStaysEphemeral) {
    store->define(ephemeral(definitionOf(3, "three")), allow);
    store->setValue(uuidNumber(3), bytes("value"), allow);
    static_cast<void>(store->takeChanges());
    bench.put(xmlName(3), textOf(definitionOf(3, "three")));
    faulty.fail(Operation::open,
                layout::valueName(uuidNumber(3), ValueFormat::plain, layout::Stage::fresh), ENOSPC,
                2);
    expectAllKept("No space left on device");
    store->reload();
    EXPECT_FALSE(store->hasEphemeral());
    EXPECT_EQ("=value", stateOf(*store, 3).value);
}

TEST_F(ReloadFailureTest, OneBadFileKeepsNoOtherFromBeingTakenOver) {
    bench.put(xmlName(1), "garbage");
    bench.put(xmlName(2), textOf(described(definitionOf(2, "two"), "text")));
    bench.put(xmlName(3), textOf(definitionOf(3)));
    store->reload();
    EXPECT_THAT(takeChanges(*store), UnorderedElementsAre("defined 2 two", "defined 3 "));
    EXPECT_EQ("=old", stateOf(*store, 1).value);
}

TEST_F(ReloadFailureTest, WantOfMemoryForOneSecretKeepsNoOtherFromBeingTakenOver) {
    bench.put(xmlName(1), textOf(described(definitionOf(1, "one"), "text")));
    bench.put(xmlName(2), textOf(described(definitionOf(2, "two"), "text")));
    bench.put(xmlName(3), textOf(definitionOf(3)));
    faulty.before(Operation::open, xmlName(1), [] { throw std::bad_alloc(); });
    store->reload();
    EXPECT_THAT(takeChanges(*store), UnorderedElementsAre("defined 2 two", "defined 3 "));
    EXPECT_TRUE(bench.log.mentions("no memory for secret '" + uuidNumber(1).toString() + "'"));
    faulty.clearFaults();
    store->reload();
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
}

TEST_F(ReloadFailureTest, AStoreThatCouldNotBeListedIsRecoveredAndLoadedByAReload) {
    bench.put(layout::valueName(uuidNumber(2), ValueFormat::plain, layout::Stage::leaving),
              base64("interrupted"));
    faulty.fail(Operation::list, "", EIO);
    store = bench.start();
    EXPECT_THROW(static_cast<void>(store->all()), Error);
    store->reload();
    EXPECT_EQ("=old", stateOf(*store, 1).value);
    EXPECT_EQ("=interrupted", stateOf(*store, 2).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
}

TEST_F(ReloadFailureTest, AsLongAsAStoreCannotBeListedLookupsSaySo) {
    faulty.fail(Operation::list, "", EIO, 3);
    store = bench.start();
    store->reload();
    store->reload();
    EXPECT_THROW(static_cast<void>(store->all()), Error);
    // No client hears that a secret does not exist while it has not been looked for.
    std::string answer;
    faulty.before(Operation::open, xmlName(1), [&] {
        try {
            static_cast<void>(store->get(uuidNumber(1)));
        } catch (const Error &error) {
            answer = error.message();
        }
    });
    store->reload();
    EXPECT_EQ("cannot read directory '/store'", answer);
    EXPECT_EQ(2U, store->all().size());
}

TEST_F(ReloadFailureTest, ARepairedBackendTakesThePlaceOfADegradedOne) {
    const Error failure(ErrorCode::fileAccess, "somebody took the lock", EAGAIN);
    SecretStore degraded(
        std::make_shared<DegradedBackend>("/store", bench.openBackend(),
                                          std::make_shared<CurrentFailure>(failure)),
        bench.policy, bench.log);
    degraded.load();
    EXPECT_EQ("=old", stateOf(degraded, 1).value);
    const auto refused = [&](const auto &action) {
        EXPECT_THAT(action, testing::ThrowsMessage<Error>("somebody took the lock"));
    };
    refused([&] { degraded.define(definitionOf(3), allow); });
    refused([&] { degraded.define(described(definitionOf(1, "one"), "x"), allow); });
    refused([&] { degraded.setValue(uuidNumber(1), bytes("x"), allow); });
    refused([&] { degraded.setValue(uuidNumber(1), {}, allow); });
    refused([&] { degraded.undefine(uuidNumber(1), allow); });
    degraded.define(ephemeral(definitionOf(4)), allow);

    degraded.replaceBackend(bench.openBackend());
    degraded.reload();
    degraded.setValue(uuidNumber(1), bytes("new"), allow);
    EXPECT_EQ("=new", stateOf(degraded, 1).value);
    EXPECT_TRUE(degraded.hasEphemeral());
}

TEST_F(ReloadFailureTest, ADegradedOneTriesNoReencryption) {
    bench.policy->set(policyWith(1, {}, true));
    EXPECT_TRUE(bench.start()->needsReencryption());
    const Error failure(ErrorCode::fileAccess, "somebody took the lock", EAGAIN);
    SecretStore degraded(
        std::make_shared<DegradedBackend>("/store", bench.openBackend(),
                                          std::make_shared<CurrentFailure>(failure)),
        bench.policy, bench.log);
    degraded.load();
    EXPECT_FALSE(degraded.needsReencryption());
    degraded.replaceBackend(bench.openBackend());
    degraded.reload();
    EXPECT_TRUE(degraded.needsReencryption());
}

// As `keyhold unseal` does it in another process: the new form comes, then the listed one goes.
TEST_F(ReloadFailureTest, ADegradedOneFindsAValueThatIsGivenAnotherFormatSince) {
    const Error failure(ErrorCode::fileAccess, "somebody has the lock", EAGAIN);
    const std::string value = *bench.content(valueName(1));
    bool isListed = true;
    faulty.before(Operation::open, valueName(1), [&] {
        if (std::exchange(isListed, false))
            bench.disk.removeAll(bench.path(valueName(1)));
    });
    faulty.before(Operation::open, uuidNumber(1).toString() + ".jwe",
                  [&] { bench.put(valueName(1), value); });
    SecretStore degraded(
        std::make_shared<DegradedBackend>("/store", bench.openBackend(),
                                          std::make_shared<CurrentFailure>(failure)),
        bench.policy, bench.log);
    degraded.load();
    EXPECT_FALSE(isListed);
    EXPECT_EQ("=old", stateOf(degraded, 1).value);
}

TEST_F(ReloadFailureTest, WithoutAnyBackendLookupsTellTheFailure) {
    const Error failure(ErrorCode::systemCall, "cannot create config directory '/store'", EACCES);
    SecretStore degraded(std::make_shared<DegradedBackend>(
                             "/store", nullptr, std::make_shared<CurrentFailure>(failure)),
                         bench.policy, bench.log);
    degraded.load();
    EXPECT_THAT([&] { static_cast<void>(degraded.get(uuidNumber(1))); },
                testing::ThrowsMessage<Error>(failure.message()));
    degraded.replaceBackend(bench.openBackend());
    degraded.reload();
    EXPECT_EQ("=old", stateOf(degraded, 1).value);
}

} // namespace
} // namespace keyhold
