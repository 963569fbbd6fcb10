// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/value.h"

#include "seal/scratch.h"

namespace keyhold {

bool isSameValue(const Uuid &uuid, const Value &a, const Value &b) {
    if (!a.shielded() || !b.shielded())
        return !a.shielded() && !b.shielded() && a.isUnreadable() == b.isUnreadable();
    if (a.shielded()->size() != b.shielded()->size())
        return false;
    Scratch plain(b.shielded()->size());
    b.shielded()->openInside(uuid, plain);
    return a.shielded()->equals(uuid, plain.bytes());
}

} // namespace keyhold
