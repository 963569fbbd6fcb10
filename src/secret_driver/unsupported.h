// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/release.h"

#include <string>

namespace keyhold {

/// Takes the driver's place under a libvirt that it cannot serve: logs `reason` once, and registers
/// a connect driver whose open fails with the same sentence, so that a daemon starts and a client
/// of it learns why there are no secrets.
void registerUnsupported(const abi::HypervisorSlots &slots, const std::string &reason);

} // namespace keyhold
