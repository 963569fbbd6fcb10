// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"

namespace keyhold {

/// The store's incidents in libvirt's log. Lives for the whole process.
[[nodiscard]] AdminLog &libvirtAdminLog();

} // namespace keyhold
