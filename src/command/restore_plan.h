// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/backup_archive.h"
#include "command/manifest.h"
#include "conf/usage.h"
#include "conf/uuid.h"
#include "os/store_directory.h"
#include "seal/sealing_policy.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// One secret of an archive beside the store.
struct PlannedSecret {
    enum class Action {
        unwanted, ///< was not named
        add,      ///< the store has none of this uuid
        same,     ///< as it is in the store
        replace,  ///< the store has another one, which goes
        keep,     ///< the store has another one, which stays
    };

    Uuid uuid;
    Usage usage;
    std::string digest; ///< of what is in the archive
    Action action = Action::unwanted;
    bool isWithoutValue = false; ///< in the archive
    bool definitionDiffers = false;
    bool valueDiffers = false;
    bool usageDiffers = false; ///< or the store's is unknown
};

struct RestorePlan {
    Manifest manifest;
    std::vector<PlannedSecret> secrets; ///< of the archive, in its order
    std::vector<Uuid> others;           ///< in the store alone
    /// Pairs of secrets that would have the same use, in words.
    std::vector<std::string> conflicts;
    /// Of the values that will be there, those that no key here opens: by key id, empty if that is
    /// unknown.
    std::map<std::string, std::size_t> unopened;
    /// Of the values that will be there, those that are plain although secret.conf asks for
    /// encryption.
    std::size_t unsealed = 0;

    [[nodiscard]] std::size_t count(PlannedSecret::Action action) const;
};

/// What to restore.
struct RestoreChoice {
    std::string file;
    std::vector<Uuid> uuids; ///< all if empty
    bool replaces = false;   ///< other secrets of the same uuid
};

/// Reads the whole archive and compares it with the store, null if there is none yet. Changes
/// nothing. Raises as readBackup(), and notFound for a uuid that is not in the archive.
[[nodiscard]] RestorePlan planRestore(const RestoreChoice &choice, const StoreDirectory *directory,
                                      const SealingPolicy &policy);

} // namespace keyhold::command
