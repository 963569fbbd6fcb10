// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace keyhold::bench {

/// Raises std::system_error with errno and `what` unless `isDone`.
void require(bool isDone, const std::string &what);

/// The system calls without which a file is not durably replaced, and nothing else: create, write,
/// fsync, close, rename, fsync of the directory.
void writeDurably(int directory, const std::string &name, std::string_view text);

} // namespace keyhold::bench
