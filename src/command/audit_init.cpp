// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/key_file.h"
#include "audit/record.h"
#include "command/audit.h"
#include "command/audit_file.h"
#include "command/holder.h"
#include "command/raw_bytes.h"
#include "command/stop_advice.h"
#include "conf/error.h"
#include "conf/sodium.h"
#include "os/descriptor.h"
#include "os/path_parts.h"
#include "os/store_directory.h"
#include "seal/scratch.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

namespace keyhold::command {

namespace {

/// Where the trail ends; nowhere if there is none.
audit::Head endOf(const std::string &file) {
    audit::Head end;
    try {
        for (const TrailPart &part : findTrail(file)) {
            TrailFileReader reader = openPart(part);
            while (const auto line = reader.next()) {
                const auto parsed =
                    line->hasEnd ? audit::parseLine(line->text) : std::optional<audit::Line>();
                if (const auto sequence = parsed ? audit::sequenceOf(parsed->record) : std::nullopt)
                    end = {*sequence, parsed->chain};
            }
        }
    } catch (const Error &error) {
        if (error.code() != ErrorCode::notFound)
            throw;
    }
    return end;
}

void requireNoKey(const Target &target, bool isReplacing) {
    const std::string &place = target.paths.auditKeyFile;
    FileStatus status;
    const int result = posixFileSystem().statusOf(place, status);
    if (result == -ENOENT || result == -ENOTDIR)
        return;
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot look at " + inQuotes(place), -result);
    if (!isReplacing)
        throw Error(ErrorCode::configUnsupported,
                    "there is a key in " + inQuotes(place) +
                        " already; with --replace, records are sealed with a new one from the "
                        "next record on");
    // It has the key in memory, and keeps it in this file from time to time.
    if (const auto holder = findHolder(target.paths))
        throw Error(ErrorCode::configUnsupported, holder->text() + " seals with the key in " +
                                                      inQuotes(place) + "; " +
                                                      stopAdvice(target, *holder));
}

/// Its next records would have no seal, where the key says that they have.
void requireNoWriter(const Target &target, const std::string &file) {
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor trail(fileSystem,
                           fileSystem.open(AT_FDCWD, file.c_str(), O_RDONLY | O_NONBLOCK, 0));
    if (trail.number() < 0 || fileSystem.lockDirectory(trail.number()) != -EWOULDBLOCK)
        return;
    const auto holder = findHolder(target.paths);
    throw Error(ErrorCode::configUnsupported,
                inQuotes(file) + " is being written" +
                    (holder ? " by " + holder->text() + "; " + stopAdvice(target, *holder)
                            : "; end the process that writes it"));
}

/// Prints "SEQUENCE:HEX" from memory that is wiped, between two texts.
void writeKey(std::string_view before, const audit::SealingKey &key, std::string_view after) {
    const std::string start = std::string(before) + std::to_string(key.sequence()) + ":";
    constexpr std::size_t kHexSize = 2 * sizeof(audit::Digest);
    Scratch text(start.size() + kHexSize + after.size() + 1); // sodium ends it with a NUL
    auto *const hex = std::ranges::copy(start, text.bytes().data()).out;
    sodium_bin2hex(reinterpret_cast<char *>(hex), kHexSize + 1, key.bytes().data(),
                   key.bytes().size());
    std::ranges::copy(after, hex + kHexSize);
    writeToOutput(text.bytes().first(text.bytes().size() - 1));
}

void show(const std::string &file, const audit::SealingKey &key, bool json) {
    if (!json)
        return writeKey("", key, "\n");
    const std::string members =
        Json({{"file", file}, {"sequence", key.sequence()}, {"key", ""}}).dump(2);
    const std::string_view all = members;
    const std::size_t end = all.rfind('"');
    writeKey(all.substr(0, end), key, std::string(all.substr(end)) + "\n");
}

} // namespace

Exit auditInit(const AuditInitOptions &options) {
    const Target target = chooseSettings(options.trail.target);
    requireNoKey(target, options.isReplacing);
    const std::string file = trailOf(options.trail);
    requireNoWriter(target, file);
    const audit::Head end = endOf(file);
    Scratch bytes(sizeof(audit::Digest));
    fillRandom(bytes.bytes());
    const audit::SealingKey key(end.sequence + 1, bytes.bytes().first<sizeof(audit::Digest)>());
    const std::string &place = target.paths.auditKeyFile;
    const std::string directory = directoryOf(place);
    FileSystem &fileSystem = posixFileSystem();
    if (const int result = fileSystem.makePath(directory); result < 0)
        throw Error(ErrorCode::fileAccess, "cannot make " + inQuotes(directory), -result);
    StoreDirectory opened(fileSystem, directory);
    // First: a key that nobody has seen proves nothing.
    show(place, key, options.json);
    audit::writeSealingKey(opened, nameIn(place), key, end.chain);
    if (!options.json)
        tell("this key is not shown again; keep it on another host: whoever has it can make "
             "records that 'keyhold audit verify' takes for the driver's");
    return Exit::clean;
}

} // namespace keyhold::command
