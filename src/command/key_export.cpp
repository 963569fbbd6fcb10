// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/store_keys.h"
#include "conf/error.h"
#include "seal/scratch.h"

#include <cerrno>

#include <unistd.h>

namespace keyhold::command {

namespace {

void writeOut(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) // 0 would be tried for ever
            throw Error(ErrorCode::systemCall, "cannot write the key", put == 0 ? EIO : errno);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

void writeJwk(const Key &key) {
    tell("this is the sealing key " + key.id() +
         ": whoever has it opens the values it sealed; keep it as the key file");
    Scratch text(Key::kJwkSize + 1);
    key.writeJwk(text.bytes().first<Key::kJwkSize>());
    text.bytes().back() = '\n';
    writeOut(text.bytes());
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
