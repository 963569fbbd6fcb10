// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace keyhold {

/// A thread of the name "keyhold" that blocks all signals, which are the host's business. It is
/// asked to stop and joined when the jthread goes. `work` raises nothing. Raises std::system_error
/// or std::bad_alloc.
[[nodiscard]] std::jthread startThread(std::function<void(const std::stop_token &)> work);

} // namespace keyhold
