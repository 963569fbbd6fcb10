// SPDX-License-Identifier: LGPL-2.1-or-later
// A daemon's instance whose store is not as it should be: it is there, serves what it can, and says
// what is missing to the calls that need it, until a reload finds it mended.
#include "secret_driver/instance_fixture.h"

#include <filesystem>
#include <fstream>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

class DegradedInstance : public WithInstances {
  protected:
    /// A secret with a value that an earlier daemon has left.
    void leaveSecret() {
        const auto instance = start();
        define(*instance, definitionOf(1));
        setValue(*instance, 1, "kept");
    }

    static void putFileInPlaceOf(const std::string &directory) {
        fs::remove_all(directory);
        fs::create_directories(fs::path(directory).parent_path());
        std::ofstream(directory) << "not a directory";
    }

    static void expectReadsWork(Instance &instance) {
        EXPECT_EQ(instance.store().all().size(), 1U);
        EXPECT_EQ(valueOf(instance, 1), "kept");
    }

    /// Every change of what is stored is refused with a reason that has `reason` in it.
    static void expectWritesAreRefused(Instance &instance, const std::string &reason) {
        const auto expectReason = [&](const char *what, const auto &call) {
            const std::string message = messageOf(call);
            EXPECT_NE(message.find(reason), std::string::npos) << what << ": " << message;
        };
        expectReason("define", [&] { define(instance, definitionOf(2)); });
        SecretDefinition described = definitionOf(1);
        described.description = "new";
        expectReason("redefine", [&] { define(instance, described); });
        expectReason("make ephemeral", [&] { define(instance, definitionOf(1, true)); });
        expectReason("set", [&] { setValue(instance, 1, "new"); });
        expectReason("remove the value", [&] { setValue(instance, 1, ""); });
        expectReason("undefine", [&] { undefine(instance, 1); });
    }

    static void expectEphemeralSecretsWork(Instance &instance) {
        define(instance, definitionOf(7, true));
        setValue(instance, 7, "fleeting");
        EXPECT_EQ(valueOf(instance, 7), "fleeting");
        undefine(instance, 7);
    }

    static void expectEverythingWorks(Instance &instance) {
        define(instance, definitionOf(2));
        setValue(instance, 2, "two");
        EXPECT_EQ(valueOf(instance, 2), "two");
        undefine(instance, 2);
    }
};

} // namespace

TEST_F(DegradedInstance, WithoutAStateDirectoryReadsAndRefusesChanges) {
    leaveSecret();
    putFileInPlaceOf(paths().stateDirectory);
    const auto instance = start();
    expectReadsWork(*instance);
    expectWritesAreRefused(*instance, "'" + paths().stateDirectory + "'");
    expectReadsWork(*instance);
    expectEphemeralSecretsWork(*instance);
}

TEST_F(DegradedInstance, WithoutALockFileReadsAndRefusesChanges) {
    leaveSecret();
    fs::create_directories(lockFile() + "/in the way");
    const auto instance = start();
    expectReadsWork(*instance);
    expectWritesAreRefused(*instance, "'" + lockFile() + "'");
    expectEphemeralSecretsWork(*instance);
}

TEST_F(DegradedInstance, WithoutAConfigDirectorySaysSoToEveryCallButThoseForEphemeralSecrets) {
    putFileInPlaceOf(paths().configDirectory);
    const auto instance = start();
    const std::string reason = "'" + paths().configDirectory + "'";
    EXPECT_NE(messageOf([&] { (void)instance->store().all(); }).find(reason), std::string::npos);
    EXPECT_NE(messageOf([&] { (void)valueOf(*instance, 1); }).find(reason), std::string::npos);
    EXPECT_NE(messageOf([&] { define(*instance, definitionOf(2)); }).find(reason),
              std::string::npos);
    expectEphemeralSecretsWork(*instance);
}

TEST_F(DegradedInstance, IsMendedByAReloadOnceTheStateDirectoryCanBeMade) {
    leaveSecret();
    putFileInPlaceOf(paths().stateDirectory);
    const auto instance = start();
    instance->reload();
    expectWritesAreRefused(*instance, "'" + paths().stateDirectory + "'");

    fs::remove(paths().stateDirectory);
    instance->reload();
    expectReadsWork(*instance);
    expectEverythingWorks(*instance);
    EXPECT_THROW((void)start(), LockedError) << "mended, it must keep others away";
}

TEST_F(DegradedInstance, IsMendedByAReloadOnceTheLockFileCanBeMade) {
    leaveSecret();
    fs::create_directories(lockFile());
    const auto instance = start();
    fs::remove(lockFile());
    instance->reload();
    expectReadsWork(*instance);
    expectEverythingWorks(*instance);
    EXPECT_THROW((void)start(), LockedError);
}

TEST_F(DegradedInstance, IsMendedByAReloadOnceTheConfigDirectoryCanBeMade) {
    putFileInPlaceOf(paths().configDirectory);
    const auto instance = start();
    define(*instance, definitionOf(7, true));
    fs::remove(paths().configDirectory);
    instance->reload();
    EXPECT_EQ(instance->store().all().size(), 1U) << "the ephemeral secret is kept";
    expectEverythingWorks(*instance);
}

TEST_F(DegradedInstance, DoesNotTakeALockThatAnotherHasByThen) {
    leaveSecret();
    fs::create_directories(lockFile());
    const auto degraded = start();
    fs::remove(lockFile());
    const auto other = start();
    // Whatever the reload of the first one says, the second keeps the store.
    try {
        degraded->reload();
    } catch (const Error &) {
    }
    EXPECT_NE(messageOf([&] { define(*degraded, definitionOf(2)); }), "no error");
    expectReadsWork(*degraded);
    expectEverythingWorks(*other);
}

TEST_F(DegradedInstance, DoesNotStartWhereAnotherHasTheLock) {
    const auto other = start();
    EXPECT_THROW((void)start(), LockedError);
    expectEverythingWorks(*other);
}

} // namespace keyhold
