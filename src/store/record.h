// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "store/revision.h"
#include "store/value.h"

#include <memory>

namespace keyhold {

/// One state of one secret. Records never change: a writer makes the next one and publishes it, and
/// a reader that holds one goes on with what it saw.
struct Record {
    SecretDefinition definition;
    Value value;
    /// The backend holds it. True for an ephemeral secret only if somebody wrote its definition
    /// into the store by hand; what clients change of such a one is in memory alone.
    bool isStored = false;
    /// Of the files that the two above were read from.
    KeptRevision files{};
};

using RecordPtr = std::shared_ptr<const Record>;

} // namespace keyhold
