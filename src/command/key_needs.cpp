// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/key_needs.h"

#include "conf/bytes.h"
#include "os/untrusted_file.h"
#include "seal/jwe.h"

#include <cstddef>

namespace keyhold::command {

namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 20; // bytes: no sealed value has as many

std::string currentIdOf(const Keyring &keyring) {
    return keyring.current() ? keyring.current()->id() : std::string();
}

/// Also where it cannot be known.
bool needsOther(const StoreDirectory &directory, const std::string &name,
                const std::string &currentId) {
    if (name.find(".base64") != std::string::npos)
        return false;
    if (name.find(".jwe") == std::string::npos)
        return true; // what libvirt encrypted names no key
    try {
        const auto text = readTextFile(directory, name, kMaxSize);
        if (!text)
            return false;
        return keyIdOfJwe(bytesOf(*text)) != currentId;
    } catch (const Error &) {
        return true;
    }
}

} // namespace

std::vector<std::string> idleFilesOfEarlierKeys(const StoreDirectory &directory,
                                                const Inspection &inspection,
                                                const Keyring &keyring) {
    const std::string currentId = currentIdOf(keyring);
    std::vector<std::string> files;
    for (const StoreFinding &finding : inspection.findings) {
        using Kind = StoreFinding::Kind;
        const bool isIdle =
            finding.kind == Kind::quarantinedValue || finding.kind == Kind::orphanedValue ||
            finding.kind == Kind::shadowedValue || finding.kind == Kind::privateName;
        if (isIdle && needsOther(directory, finding.file, currentId))
            files.push_back(directory.pathOf(finding.file));
    }
    return files;
}

std::size_t valuesOfEarlierKeys(const Inspection &inspection, const Keyring &keyring) {
    const std::string currentId = currentIdOf(keyring);
    std::size_t count = inspection.aes256cbc;
    for (const auto &[keyId, number] : inspection.sealed)
        count += keyId == currentId ? 0 : number;
    return count;
}

} // namespace keyhold::command
