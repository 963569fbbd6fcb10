// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace keyhold {

/// Content of a file; empty if it cannot be read.
[[nodiscard]] std::string readFile(const std::string &path);
/// Creates or replaces a file; its mode is exactly `mode`. Throws if that fails.
void writeFile(const std::string &path, std::string_view content, mode_t mode = 0600);
/// mkdir with all parents, 0700 unless given. Throws if that fails.
void makeDirectories(const std::string &path, mode_t mode = 0700);
/// Standard base64 with padding, as in a value file.
[[nodiscard]] std::string base64(std::string_view bytes);

/// Calls `visit` for each entry below `root` in the order of their names: its relative name, and
/// its type, mode, owner and content in words.
void visitTree(const std::string &root,
               const std::function<void(const std::string &name, const std::string &text)> &visit);

/// Throws with `what` and the text of errno unless `succeeded`.
void check(bool succeeded, const std::string &what);

} // namespace keyhold
