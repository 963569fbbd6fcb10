// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/symbols.h"

#include <cstddef>
#include <span>

namespace keyhold::abi {

/// One function to look up, and where in Symbols its address goes.
struct SymbolEntry {
    const char *name;
    std::size_t offset;
};

/// Every entry of KEYHOLD_LIBVIRT_SYMBOLS, in its order.
[[nodiscard]] std::span<const SymbolEntry> symbolEntries() noexcept;

/// Looks all entries up on a dlopen handle and stores their addresses, null where there is none.
/// Returns the name of the first one missing, or an empty string. The handle stays the caller's.
[[nodiscard]] const char *lookUpSymbols(void *handle, std::span<const SymbolEntry> entries,
                                        Symbols &table) noexcept;

} // namespace keyhold::abi
