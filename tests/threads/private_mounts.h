// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

/// Mounts that no other process sees. Each function throws if the system refuses.
namespace keyhold::private_mounts {

/// Gives the process a mount namespace of its own; without being root, in a user namespace of its
/// own as well. To be called before any thread is started: threads share what they were started
/// with.
void enter();

/// Makes the directory or file `from` appear at `to` too.
void bind(const std::string &from, const std::string &to);
/// An empty directory in memory at `path`.
void mountEmpty(const std::string &path);

} // namespace keyhold::private_mounts
