// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyhold {

/// What a secret is for. The numbers are libvirt's virSecretUsageType (libvirt-secret.h, 9.0.0),
/// which has no gaps.
enum class UsageType : int {
    none = 0,
    volume = 1,
    ceph = 2,
    iscsi = 3,
    tls = 4,
    vtpm = 5,
};

/// What belongs to a type in documents; all null for a number that is no type.
struct UsageWords {
    const char *type;      ///< the word in `<usage type='...'>`
    const char *element;   ///< the child element that carries the id; null for none
    const char *missingId; ///< the error if it is not there, as the stock driver words it
};
[[nodiscard]] UsageWords usageWords(UsageType type);
/// The type of a word. Exact match, case sensitive; empty for an unknown word.
[[nodiscard]] std::optional<UsageType> usageTypeFromName(std::string_view name);

/// A use: type and id together name at most one secret. The id is empty exactly when the type is
/// none; otherwise it is any non-empty text, paths and blanks included.
struct Usage {
    UsageType type = UsageType::none;
    std::string id;

    bool operator==(const Usage &) const = default;
};

/// Hash for unordered containers, keyed once per process: clients choose ids. Not declared
/// noexcept: see UuidHash.
struct UsageHash {
    [[nodiscard]] std::size_t operator()(const Usage &usage) const;
};

} // namespace keyhold
