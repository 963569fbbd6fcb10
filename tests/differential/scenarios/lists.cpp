// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting and listing.
#include "phase.h"

#include <algorithm>
#include <cstdlib>

namespace keyhold {

namespace {

void defineFour(Phase &phase) {
    phase.open();
    unsigned number = 0;
    for (const char *ephemeral : {"no", "yes"}) {
        for (const char *isPrivate : {"no", "yes"}) {
            number++;
            phase.define("define " + std::to_string(number), {.uuid = chosenUuid(number),
                                                              .type = "ceph",
                                                              .id = "n" + std::to_string(number),
                                                              .ephemeral = ephemeral,
                                                              .isPrivate = isPrivate});
        }
    }
}

void filters(Phase &phase) {
    defineFour(phase);
    for (unsigned int flags = 0; flags < 16; flags++)
        phase.list("flags " + std::to_string(flags), flags);
    for (unsigned int flags : {0x10U, 0x11U, 0x80000000U, 0xffffffffU}) {
        virSecretPtr *secrets = nullptr;
        phase.attempt("flags " + std::to_string(flags), [&] {
            return virConnectListAllSecrets(phase.connection(), &secrets, flags);
        });
    }
    phase.attempt("no array",
                  [&] { return virConnectListAllSecrets(phase.connection(), nullptr, 0); });
    phase.attempt("no array, ephemeral ones", [&] {
        return virConnectListAllSecrets(phase.connection(), nullptr,
                                        VIR_CONNECT_LIST_SECRETS_EPHEMERAL);
    });
    virSecretPtr *secrets = nullptr;
    phase.attempt("NULL connection",
                  [&] { return virConnectListAllSecrets(nullptr, &secrets, 0); });
}

void listUuids(Phase &phase, const std::string &key, int room) {
    std::vector<char *> names(static_cast<std::size_t>(std::max(room, 0)) + 1, nullptr);
    int count = phase.attempt(
        key, [&] { return virConnectListSecrets(phase.connection(), names.data(), room); });
    std::vector<std::string> sorted;
    for (int i = 0; i < count; i++) {
        sorted.emplace_back(names[static_cast<std::size_t>(i)]);
        std::free(names[static_cast<std::size_t>(i)]);
    }
    // Which ones fill an array that is too small is left to chance.
    if (count < 4)
        return;
    std::sort(sorted.begin(), sorted.end());
    for (const std::string &name : sorted)
        phase.note(key + ", name", name);
}

void uuids(Phase &phase) {
    defineFour(phase);
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
    for (int room : {0, 2, 4, 10, -1})
        listUuids(phase, "room for " + std::to_string(room), room);
    phase.attempt("NULL array",
                  [&] { return virConnectListSecrets(phase.connection(), nullptr, 4); });
    phase.attempt("NULL array, room for none",
                  [&] { return virConnectListSecrets(phase.connection(), nullptr, 0); });
    char *name = nullptr;
    phase.attempt("NULL connection", [&] { return virConnectListSecrets(nullptr, &name, 1); });
    phase.attempt("count of NULL", [&] { return virConnectNumOfSecrets(nullptr); });
}

void none(Phase &phase) {
    phase.open();
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
    virSecretPtr *secrets = nullptr;
    phase.attempt("list",
                  [&] { return virConnectListAllSecrets(phase.connection(), &secrets, 0); });
    phase.note("an array came back", secrets ? "yes" : "no");
    phase.note("it is terminated by NULL", secrets && !secrets[0] ? "yes" : "no");
    std::free(secrets);
}

} // namespace

std::vector<Scenario> listScenarios() {
    return {{"lists.filters", {filters}}, {"lists.uuids", {uuids}}, {"lists.none", {none}}};
}

} // namespace keyhold
