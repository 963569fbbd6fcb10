// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

// What needs root. Each throws if the system refuses.

/// Moves this process and its children into a mount namespace from which nothing gets out.
void isolateMounts();
/// Mounts an empty tmpfs of so many KiB.
void mountTmpfs(const std::string &path, unsigned kibibytes);
/// Mounts `path` over itself, so that makeReadOnly applies to what is below it.
void mountItself(const std::string &path);
void makeReadOnly(const std::string &path);
void makeWritable(const std::string &path);
/// Gives up root for good and becomes uid and gid 65534.
void becomeNobody();

} // namespace keyhold
