// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "os/store_directory.h"

#include <optional>
#include <string>

namespace keyhold::audit {

/// What a trail keeps between two starts, in a file of mode 0600, not beside the trail: the key of
/// its next record, and the chain up to there. Four lines of text: `keyhold-audit-key 1`, the
/// sequence as 20 digits, key and chain as 64 hexadecimal digits each.
struct KeptKey {
    SealingKey key;
    Digest chain; ///< of the record before; zeros if there is none
};

/// Empty if there is no such file. Raises systemCall, or internal for a file that is something
/// else.
[[nodiscard]] std::optional<KeptKey> readSealingKey(const StoreDirectory &directory,
                                                    const std::string &name);

/// Replaces the file, durably: with a key that is older than records, those could be forged. Raises
/// fileAccess.
void writeSealingKey(StoreDirectory &directory, const std::string &name, const SealingKey &key,
                     const Digest &chain);

} // namespace keyhold::audit
