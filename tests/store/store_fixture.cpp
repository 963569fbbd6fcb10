// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/store_fixture.h"

#include "conf/secret_xml.h"
#include "seal/base64.h"
#include "seal/plain_of.h"

#include <algorithm>
#include <ostream>

namespace keyhold {

std::shared_ptr<const SealingPolicy>
policyWith(std::uint8_t sealing, const std::vector<std::uint8_t> &earlier, bool convertExisting) {
    const auto raw = [](std::uint8_t number) {
        std::array<std::uint8_t, Key::kSize> bytes{};
        bytes.fill(number);
        return bytes;
    };
    Keyring keyring;
    if (sealing != 0)
        keyring.setPrimary(raw(sealing));
    for (const std::uint8_t number : earlier)
        keyring.addEarlier(raw(number));
    return std::make_shared<const SealingPolicy>(
        std::move(keyring), SealingPolicy::Rules{.mustSeal = sealing != 0,
                                                 .convertExisting = convertExisting,
                                                 .complaint = {}});
}

void PrintTo(const SecretState &state, std::ostream *out) {
    *out << state.xml << state.value;
}

StoreBench::StoreBench() {
    disk.putDirectory(kDirectory);
}

std::unique_ptr<SecretStore> StoreBench::start() {
    auto store = std::make_unique<SecretStore>(openBackend(), policy, log);
    store->load();
    return store;
}

std::unique_ptr<DirectoryBackend> StoreBench::openBackend() {
    return std::make_unique<DirectoryBackend>(
        std::make_unique<StoreDirectory>(*fileSystem, kDirectory), log, clock);
}

std::unique_ptr<Barrier> StoreBench::openBarrier() {
    return std::make_unique<Barrier>(openBackend(), policy);
}

StoreState StoreBench::stateAfterStart() {
    return stateOf(*start());
}

std::string StoreBench::path(const std::string &name) const {
    return std::string(kDirectory) + "/" + name;
}

Uuid uuidNumber(int n) {
    std::array<std::uint8_t, Uuid::kSize> raw{};
    raw[0] = 0xab;
    raw[14] = static_cast<std::uint8_t>(n >> 8);
    raw[15] = static_cast<std::uint8_t>(n);
    return Uuid(raw);
}

std::vector<Uuid> uuidsOf(const std::vector<ListedSecret> &secrets) {
    std::vector<Uuid> out;
    out.reserve(secrets.size());
    for (const ListedSecret &secret : secrets)
        out.push_back(secret.uuid);
    return out;
}

SecretDefinition definitionOf(int n, const std::string &id) {
    SecretDefinition definition;
    definition.uuid = uuidNumber(n);
    if (!id.empty())
        definition.usage = {UsageType::ceph, id};
    return definition;
}

SecretDefinition ephemeral(SecretDefinition definition) {
    definition.isEphemeral = true;
    return definition;
}

SecretDefinition described(SecretDefinition definition, const std::string &text) {
    definition.description = text;
    return definition;
}

std::string xmlName(int n) {
    return layout::definitionName(uuidNumber(n));
}
std::string valueName(int n, ValueFormat form) {
    return layout::valueName(uuidNumber(n), form);
}
std::string textOf(const SecretDefinition &definition) {
    return formatSecretXml(definition);
}

std::string base64(const std::string &value) {
    std::string text(plainTextSize(value.size()) + 1, '\0');
    encodePlain(bytes(value), {reinterpret_cast<std::uint8_t *>(text.data()), text.size()});
    text.pop_back();
    return text;
}

SecretState stateOf(const Record &record) {
    SecretState state{formatSecretXml(record.definition), "none"};
    if (record.value.isUnreadable())
        state.value = "unreadable";
    if (const ShieldedValue *shielded = record.value.shielded()) {
        const std::vector<std::uint8_t> plain = plainOf(*shielded, record.definition.uuid);
        state.value = "=" + std::string(plain.begin(), plain.end());
    }
    return state;
}

StoreState stateOf(const SecretStore &store) {
    StoreState out;
    for (const RecordPtr &record : store.all())
        out.emplace(record->definition.uuid, stateOf(*record));
    return out;
}

SecretState stateOf(const SecretStore &store, int n) {
    return stateOf(*store.get(uuidNumber(n)));
}

std::vector<std::string> takeChanges(SecretStore &store) {
    std::vector<std::string> out;
    for (const Change &change : store.takeChanges()) {
        std::string line;
        switch (change.kind) {
        case Change::Kind::defined:
            line = "defined ";
            break;
        case Change::Kind::valueChanged:
            line = "value ";
            break;
        case Change::Kind::undefined:
            line = "undefined ";
            break;
        }
        const auto raw = change.uuid.bytes();
        line += std::to_string(raw[14] * 256 + raw[15]) + " " + change.usage.id;
        out.push_back(std::move(line));
    }
    return out;
}

void allow(const SecretDefinition &) {}

} // namespace keyhold
