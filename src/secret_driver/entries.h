// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/release.h"
#include "abi/tables.h"

namespace keyhold {

/// The tables this driver registers, for the release of libvirt that runs. They live for the whole
/// process.
[[nodiscard]] abi::SecretDriver &secretDriverTable();
[[nodiscard]] abi::StateDriver &stateDriverTable();
[[nodiscard]] abi::HypervisorDriver &connectionTable(const abi::HypervisorSlots &slots);

} // namespace keyhold
