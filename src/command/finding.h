// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "directory/store_finding.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// Something that an administrator should look at, in words.
struct Finding {
    enum class Kind {
        settings,   ///< secret.conf or a key file that it names
        directory,  ///< owner or mode of the directory, or of one above it
        definition, ///< a definition file that cannot be read, or does not count
        damaged,    ///< a value file that is damaged, altered, of another secret, or cannot be read
        missingKey, ///< a value file that none of the configured keys opens
        refusedPlain, ///< a value in plain, which the settings refuse
        shadowed,    ///< a value file that does not count, for one of another format goes before it
        orphan,      ///< a value file whose secret has no definition
        leftover,    ///< a private name of an interrupted change
        aside,       ///< a value file that was quarantined
        unknown,     ///< another name that mentions a secret
        mode,        ///< a file that others can read or write
        owner,       ///< a file of another user
        unchanged,   ///< a value file that should have been re-encrypted, and was not
        driver,      ///< the process that holds the store does not do what is on disk now
        otherDriver, ///< libvirt's own driver holds the store, and there are sealed values in it
        drift,       ///< its daemon lists other secrets than the files define
        store,       ///< the directory has gone, or is not the one that the daemon opened
        unfinished,  ///< a rotation or an `encrypt off` left values as they were
        refused,     ///< new values are refused
        plain,       ///< values in plain where encryption is on
        plainCopy,   ///< a file that counts for nothing and may hold a value in plain
        keyFile,     ///< where a key file is, or who can change it
        library,     ///< a library that the module needs, and that is not there
        noSpace,     ///< the file system of the store takes no more bytes
        noInodes,    ///< it takes no more files
        readOnly,    ///< nobody can change the directory
        littleSpace,
        fewInodes,
        unseen, ///< what this user cannot see
    };

    Kind kind;
    std::string file;
    std::string text; ///< begins with a verb
    /// What all findings with one cause have in common, where the text says more; else empty.
    std::string cause{};
    std::string keyId{}; ///< that is missing; empty if it is unknown, or no key is

    bool operator==(const Finding &) const = default;
};

/// What was found in `directory`.
[[nodiscard]] std::vector<Finding> inWords(const std::vector<StoreFinding> &found,
                                           const std::string &directory);

/// The word for machines, such as "missing-key".
[[nodiscard]] const char *findingKindName(Finding::Kind kind) noexcept;
/// Whether the value of a secret cannot be had.
[[nodiscard]] bool isUnreadable(Finding::Kind kind) noexcept;
/// A line for people.
[[nodiscard]] std::string textOf(const Finding &finding);
[[nodiscard]] Json jsonOf(const Finding &finding);
/// The array of all. There may be one a file: each goes as it becomes JSON.
[[nodiscard]] Json jsonOf(std::vector<Finding> &&findings);

} // namespace keyhold::command
