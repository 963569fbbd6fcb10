// SPDX-License-Identifier: LGPL-2.1-or-later
#include "foreign_store.h"

namespace keyhold {

void openAndLook(Phase &phase) {
    phase.open();
    phase.note("error logged", phase.errorLogged() ? "yes" : "no");
    phase.memory("memory");
}

} // namespace keyhold
