// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <sys/types.h>

namespace keyhold {

/// Something about a store that an administrator should look at.
struct StoreFinding {
    enum class Kind {
        openDirectory,        ///< other users may enter the directory
        missingDefinition,    ///< it went since the directory was listed
        unreadableDefinition, ///< by `reason`
        definesAnother,       ///< the uuid in the definition is `other`
        misnamedDefinition,   ///< its name is not that of a definition, and nearly so
        sameUse,              ///< as the definition `other`, which is loaded instead
        unreadableFile,       ///< a value file, by `reason`
        damagedValue,         ///< damaged, altered, or of another secret, by `reason`
        missingKey,           ///< none of the configured keys opens the value, by `reason`
        refusedPlain,         ///< the settings refuse a value in plain, by `reason`
        shadowedValue,        ///< it does not count, for the file `other` goes before it
        orphanedValue,        ///< its secret has no definition
        privateName,          ///< of an interrupted change
        quarantinedValue,     ///< a value file that counts for nothing
        unknownName,          ///< another name that mentions a secret
        writable,             ///< other users may write to the file
        accessible,           ///< other users may read or write the file
        foreignOwner,         ///< the file belongs to `owner`, and not to `rightOwner`
    };

    Kind kind;
    std::string file{};   ///< its name in the directory; empty for the directory itself
    std::string reason{}; ///< text of an error
    std::string cause{};  ///< of a value: what of `reason` others can have in common
    std::string keyId{};  ///< that is missing; empty if the value names none
    std::string other{};
    uid_t owner = 0;
    uid_t rightOwner = 0; ///< of the directory

    bool operator==(const StoreFinding &) const = default;
};

} // namespace keyhold
