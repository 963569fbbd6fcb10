// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/holder.h"
#include "command/target.h"

#include <string>

namespace keyhold::command {

/// How the process that has a store open is ended for good: "stop it first: systemctl stop ..."
/// with the sockets, which would start a daemon again, or "end it first".
[[nodiscard]] std::string stopAdvice(const Target &target, const Holder &holder);

/// The service in the text of a /proc/PID/cgroup (cgroups(7)), such as "libvirtd"; empty if there
/// is none, as of a process that a user started.
[[nodiscard]] std::string serviceIn(const std::string &cgroup);

} // namespace keyhold::command
