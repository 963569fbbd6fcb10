// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"

namespace keyhold {

/// A warning in the log if keys or plain values in use rest in memory that is less protected
/// than was asked for (an old kernel, RLIMIT_MEMLOCK); of each once a process, and nothing of
/// memory that nothing has used yet. Nothing fails by that. To be called after what uses such
/// memory, a load or a change. Raises nothing.
void tellMemory(AdminLog &log) noexcept;

} // namespace keyhold
