// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold::command {

/// From now on the first SIGINT, SIGTERM or SIGHUP ends what is at work after the value in hand, a
/// second one the process. What the caller ignores (nohup, a job in the background) stays ignored.
void catchInterrupts();
/// Whether the first one came.
[[nodiscard]] bool isInterrupted() noexcept;

} // namespace keyhold::command
