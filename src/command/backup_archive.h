// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/manifest.h"
#include "command/secret_copy.h"
#include "command/tar_archive.h"
#include "conf/secret_definition.h"
#include "os/file_system.h"
#include "store/backend.h"
#include "store/value.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

/// The archive of a backup: its grammar is in docs/backup.md.
namespace keyhold::command {

/// Writes the secrets of a store, which come in the order of their uuids.
class BackupWriter {
  public:
    /// As TarWriter.
    BackupWriter(TarWriter::Sink sink, std::int64_t time) : tar_(std::move(sink), time) {}

    /// One with a definition.
    void add(const SecretCopy &secret);
    /// Completes the manifest with what was added, and the archive with it.
    void finish(Manifest &manifest);

    [[nodiscard]] const ArchiveCounts &counts() const noexcept { return counts_; }

  private:
    void addMember(const std::string &name, std::span<const std::uint8_t> content);

    TarWriter tar_;
    ArchiveCounts counts_;
    std::vector<Manifest::Member> members_;
};

/// A secret in an archive, lent for one call.
struct ArchivedSecret {
    SecretDefinition definition;
    std::optional<EncodedValue> encoded;
    Value value;        ///< that was opened; unreadable if its key is not here
    std::string keyId;  ///< of a sealed one
    std::string digest; ///< changes with any byte of it
};

/// Reads an archive to its end, and gives each secret to `visit`. Raises valueUnreadable for one
/// that is damaged, cut off, or not as docs/backup.md has it; the secrets before were good, but
/// only an archive that was read to its end is. Raises fileAccess, and what `visit` does.
Manifest readBackup(const std::string &path, const SealingPolicy &policy,
                    const std::function<void(const ArchivedSecret &)> &visit,
                    FileSystem &fileSystem = posixFileSystem());

} // namespace keyhold::command
