// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/raw_bytes.h"
#include "command/store_keys.h"
#include "conf/error.h"
#include "seal/scratch.h"

namespace keyhold::command {

namespace {

void writeJwk(const Key &key) {
    tell("this is the sealing key " + key.id() +
         ": whoever has it opens the values it sealed; keep it as the key file");
    Scratch text(Key::kJwkSize + 1);
    key.writeJwk(text.bytes().first<Key::kJwkSize>());
    text.bytes().back() = '\n';
    writeToOutput(text.bytes());
}

} // namespace

Exit exportKey(const KeyOptions &options) {
    if (!options.files.empty()) {
        writeJwk(Key(fetchKey(*namedKeyFile(options.files.front())).raw()));
        return Exit::clean;
    }
    const Target target = chooseSettings(options.target);
    const StoreKeys store = readStoreKeys(target, findHolder(target.paths));
    const Key *current = store.host.policy->keyring().current();
    if (!current && !store.findings.empty())
        throw Error(ErrorCode::invalidEncryptionKey, store.findings.front().text);
    if (!current)
        throw Error(ErrorCode::invalidEncryptionKey,
                    "'" + target.paths.settingsFile +
                        "' names no key that seals; name the key file to export");
    writeJwk(*current);
    return Exit::clean;
}

} // namespace keyhold::command
