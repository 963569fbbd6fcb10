// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "seal/sealing_policy.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold::command {

/// What an archive has, in numbers.
struct ArchiveCounts {
    std::size_t secrets = 0;
    std::size_t withoutValue = 0;
    std::size_t plain = 0;
    std::size_t aes256cbc = 0;
    std::map<std::string, std::size_t> sealed{}; ///< by key id

    bool operator==(const ArchiveCounts &) const = default;
    /// One more secret.
    void add(std::optional<ValueFormat> format, const std::string &keyId);
};

/// The last member of an archive, which says what the others are (docs/backup.md).
struct Manifest {
    struct Member {
        std::string name;
        std::size_t size; ///< bytes
        std::string sha256;

        bool operator==(const Member &) const = default;
    };
    /// A file of the store that is not in the archive, and why.
    struct LeftOut {
        std::string file;
        std::string kind; ///< as findingKindName()
        std::string text;
    };

    std::string tool;
    std::string host;
    std::string instance;  ///< as Target::name()
    std::string directory; ///< of the store
    std::string start;     ///< RFC 3339, UTC
    std::string end;
    ArchiveCounts counts;
    std::vector<LeftOut> leftOut;
    std::vector<Member> members; ///< in their order, without the manifest
};

inline constexpr std::string_view kManifestName = "MANIFEST.json";

/// All but the members, which are many.
[[nodiscard]] Json summaryOf(const Manifest &manifest);
[[nodiscard]] std::string formatManifest(const Manifest &manifest);
/// Raises valueUnreadable for a text that is none, or of a later schema, with a text that begins
/// with a verb.
[[nodiscard]] Manifest parseManifest(std::string_view text);

} // namespace keyhold::command
