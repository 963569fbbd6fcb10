// SPDX-License-Identifier: LGPL-2.1-or-later
// A store whose backend others change at the same time: exact revisions, conflicts, a watcher.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "seal/jwe.h"
#include "store/memory_backend.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One of the hosts that share a storage.
struct Host {
    Host(const std::shared_ptr<MemoryStorage> &storage,
         const std::shared_ptr<CurrentPolicy> &policy)
        : backend(std::make_shared<MemoryBackend>(storage)),
          store(backend, policy, log) {}

    void set(int n, const std::string &value) {
        store.setValue(uuidNumber(n), bytes(value), allow);
    }
    [[nodiscard]] std::string value(int n) const { return stateOf(store, n).value; }

    RecordingAdminLog log;
    std::shared_ptr<MemoryBackend> backend;
    SecretStore store;
};

/// Two hosts that know secret 1 with the value "old". The second is told of changes as they are
/// made; the first only once it has waited for that.
class SharedBackendTest : public testing::Test {
  protected:
    SharedBackendTest() {
        policy->set(policyWith(1));
        here.store.load();
        here.store.define(definitionOf(1, "one"), allow);
        here.set(1, "old");
        here.backend->watch(nullptr);
        there.store.load();
        static_cast<void>(takeChanges(here.store));
    }

    std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>();
    std::shared_ptr<CurrentPolicy> policy = std::make_shared<CurrentPolicy>();
    Host here{storage, policy};
    Host there{storage, policy};
};

TEST_F(SharedBackendTest, AWatcherTakesOverWhatOthersDoAndRaisesTheEvents) {
    here.set(1, "new");
    here.store.define(definitionOf(2, "two"), allow);
    there.backend->awaitWatcher();
    EXPECT_EQ(there.value(1), "=new");
    EXPECT_THAT(takeChanges(there.store), ElementsAre("value 1 one", "defined 2 two"));
    here.store.undefine(uuidNumber(1), allow);
    there.backend->awaitWatcher();
    EXPECT_THAT(takeChanges(there.store), ElementsAre("undefined 1 one"));
    EXPECT_THAT(there.log.lines(), IsEmpty());
}

TEST_F(SharedBackendTest, OnesOwnChangesAreNotTakenOverAgain) {
    there.set(1, "new");
    there.backend->awaitWatcher();
    EXPECT_THAT(takeChanges(there.store), ElementsAre("value 1 one"));
}

TEST_F(SharedBackendTest, AWatcherThatMeetsAUseOfAnotherSecretSaysSo) {
    there.store.define(ephemeral(definitionOf(3, "three")), allow);
    static_cast<void>(takeChanges(there.store));
    here.store.define(definitionOf(2, "three"), allow);
    there.backend->awaitWatcher();
    EXPECT_THAT(takeChanges(there.store), IsEmpty());
    EXPECT_TRUE(there.log.mentions("already defined for use with three; '" +
                                   uuidNumber(3).toString() + "' counts, and '"));
}

TEST_F(SharedBackendTest, ApplyTakesOverOneSecret) {
    there.set(1, "new");
    EXPECT_EQ(here.value(1), "=old");
    here.store.apply(uuidNumber(1));
    EXPECT_EQ(here.value(1), "=new");
    EXPECT_THAT(takeChanges(here.store), ElementsAre("value 1 one"));
    here.store.apply(uuidNumber(1));
    EXPECT_THAT(takeChanges(here.store), IsEmpty());
}

TEST_F(SharedBackendTest, AChangeThatMeetsAnotherIsMadeOnTopOfIt) {
    there.store.define(described(definitionOf(1, "one"), "of the other"), allow);
    here.set(1, "new");
    EXPECT_EQ(stateOf(here.store, 1).xml,
              textOf(described(definitionOf(1, "one"), "of the other")));
    EXPECT_THAT(takeChanges(here.store), ElementsAre("defined 1 one", "value 1 one"));
    there.backend->awaitWatcher();
    EXPECT_EQ(stateOf(there.store), stateOf(here.store));
}

TEST_F(SharedBackendTest, AChangeOfWhatOthersRemovedIsRefused) {
    there.store.undefine(uuidNumber(1), allow);
    EXPECT_EQ(raisedBy([&] { here.set(1, "new"); })->code, ErrorCode::notFound);
    EXPECT_THAT(takeChanges(here.store), ElementsAre("undefined 1 one"));
}

TEST_F(SharedBackendTest, ASecretThatOthersDefinedFirstIsRedefined) {
    there.store.define(definitionOf(2, "two"), allow);
    there.set(2, "theirs");
    here.store.define(described(definitionOf(2, "two"), "ours"), allow);
    EXPECT_EQ(here.value(2), "=theirs");
    EXPECT_EQ(raisedBy([&] { here.store.define(definitionOf(2, "another"), allow); })->code,
              ErrorCode::internal);
}

TEST_F(SharedBackendTest, AccessIsCheckedOfWhatIsChanged) {
    SecretDefinition hidden = definitionOf(1, "one");
    hidden.isPrivate = true;
    there.store.define(hidden, allow);
    const auto refusePrivate = [](const SecretDefinition &definition) {
        if (definition.isPrivate)
            throw Error(ErrorCode::notFound, "access denied");
    };
    EXPECT_EQ(
        raisedBy([&] { here.store.setValue(uuidNumber(1), bytes("new"), refusePrivate); })->text,
        "access denied");
    EXPECT_EQ(there.value(1), "=old");
}

TEST_F(SharedBackendTest, TheEighthConflictIsTheLast) {
    for (const int conflicts : {7, 8}) {
        int made = 0;
        here.backend->beforeChange = [&] {
            if (made++ < conflicts)
                there.set(1, "theirs " + std::to_string(made));
        };
        const auto raised = raisedBy([&] { here.set(1, "ours"); });
        EXPECT_EQ(raised.has_value(), conflicts == 8);
        EXPECT_EQ(made, 8);
        if (raised) {
            EXPECT_THAT(raised->text, testing::HasSubstr("was changed by others each time"));
        }
        there.backend->awaitWatcher();
        EXPECT_EQ(there.value(1), conflicts == 8 ? "=theirs 8" : "=ours");
    }
}

TEST_F(SharedBackendTest, AReloadReadsOnlyWhatChanged) {
    there.store.define(definitionOf(2, "two"), allow);
    there.set(1, "new");
    here.store.reload();
    EXPECT_THAT(takeChanges(here.store),
                testing::UnorderedElementsAre("value 1 one", "defined 2 two"));
    const RecordPtr before = here.store.get(uuidNumber(1));
    here.store.reload();
    EXPECT_THAT(takeChanges(here.store), IsEmpty());
    EXPECT_EQ(before, here.store.get(uuidNumber(1)));
}

TEST_F(SharedBackendTest, AValueThatOthersSetWhileItIsReencryptedStays) {
    policy->set(policyWith(2, {1}));
    here.store.reload();
    bool isDone = false;
    here.backend->beforeChange = [&] {
        if (!std::exchange(isDone, true))
            there.set(1, "theirs");
    };
    here.store.reencrypt([] { return false; });
    EXPECT_TRUE(isDone);
    EXPECT_EQ(here.value(1), "=theirs");
    EXPECT_FALSE(here.store.needsReencryption());
    const std::lock_guard lock(storage->mutex);
    EXPECT_EQ(keyIdOfJwe(bytes(storage->secrets.at(uuidNumber(1)).value->bytes)),
              policyWith(2)->keyring().current()->id());
}

TEST_F(SharedBackendTest, ARotationIsOneChangeAndNoEvent) {
    policy->set(policyWith(2, {1}));
    here.store.reload();
    const std::size_t changes = storage->changes.size();
    here.store.reencrypt([] { return false; });
    EXPECT_EQ(storage->changes.size(), changes + 1);
    EXPECT_THAT(takeChanges(here.store), IsEmpty());
    here.set(1, "new"); // on the revision of the re-encryption
    EXPECT_EQ(storage->changes.size(), changes + 2);
}

} // namespace
} // namespace keyhold
