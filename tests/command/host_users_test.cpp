// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/host_users.h"

#include "conf/error.h"
#include "directory/store_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::ElementsAre;

const Usage kCeph{UsageType::ceph, "client"};

HostView view() {
    const auto user = [](const char *name, const SecretReference &to) {
        return SecretUser{SecretUser::Kind::domain, name, to, true, true};
    };
    const Uuid first = StoreFiles::uuid(1);
    return {"u:///",
            {{first, kCeph}, {StoreFiles::uuid(2), {UsageType::tls, "idle"}}},
            {user("a", {first, {}, "disk vda"}), user("b", {std::nullopt, kCeph, "disk vda"}),
             user("c", {StoreFiles::uuid(3), {}, "tpm"}),
             user("d", {std::nullopt, {UsageType::iscsi, "gone"}, "disk vda"})}};
}

std::vector<std::string> namesOf(const UsedSecret &used) {
    std::vector<std::string> names;
    for (const SecretUser &user : used.users)
        names.push_back(user.name);
    return names;
}

TEST(UsedSecrets, UuidAndUsageLeadToOneSecretAndMissingOnesComeFirst) {
    const auto used = usedSecrets(view(), std::nullopt);
    ASSERT_EQ(used.size(), 3u);
    EXPECT_TRUE(used[0].isMissing && used[1].isMissing && !used[2].isMissing);
    EXPECT_EQ(used[0].name.text(), StoreFiles::uuid(3).toString());
    EXPECT_EQ(used[1].name.text(), "iscsi:gone");
    EXPECT_THAT(namesOf(used[2]), ElementsAre("a", "b"));
}

TEST(UsedSecrets, OnlyTheOneThatWasAskedFor) {
    EXPECT_THAT(namesOf(usedSecrets(view(), SecretName{std::nullopt, kCeph}).at(0)),
                ElementsAre("a", "b"));
    EXPECT_TRUE(usedSecrets(view(), parseSecretName("tls:idle")).at(0).users.empty());
    EXPECT_TRUE(usedSecrets(view(), parseSecretName("iscsi:gone")).at(0).isMissing);
    EXPECT_TRUE(usedSecrets(view(), parseSecretName("iscsi:other")).empty());
}

TEST(UsedSecrets, TextsOfUsers) {
    SecretUser user{SecretUser::Kind::domain, "g", {Uuid(), {}, "disk vda"}, true, true};
    EXPECT_EQ(textOf(user), "domain 'g', disk vda (running)");
    user.isDefined = false;
    EXPECT_EQ(textOf(user), "domain 'g', disk vda (running, not after its end)");
    user = {SecretUser::Kind::pool, "p", {Uuid(), {}, "pool"}, false, true};
    EXPECT_EQ(textOf(user), "pool 'p' (defined)");
    user = {SecretUser::Kind::volume, "p/v", {Uuid(), {}, "volume"}, true, false};
    EXPECT_EQ(textOf(user), "volume 'p/v'");
}

TEST(LookAtHost, TakesADriverWithoutSecrets) {
    const HostView seen = lookAtHost("test:///default");
    EXPECT_TRUE(seen.secrets.empty() && seen.users.empty());
    EXPECT_THROW(static_cast<void>(lookAtHost("nonsense:///")), Error);
}

TEST(ConnectionsFor, NamedOnesOrTheOneOfTheTarget) {
    EXPECT_THAT(connectionsFor({}, {"a", "b"}), ElementsAre("a", "b"));
    TargetChoice system;
    system.wantsSystem = true;
    EXPECT_THAT(connectionsFor(system, {}), ElementsAre("qemu:///system"));
    TargetChoice embedded;
    embedded.roots = {"/r"};
    EXPECT_THROW(static_cast<void>(connectionsFor(embedded, {})), Error);
}

} // namespace
} // namespace keyhold::command
