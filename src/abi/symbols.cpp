// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"

#include "abi/symbol_lookup.h"

#include <cstring>
#include <type_traits>

#include <dlfcn.h>

namespace keyhold::abi {
namespace {

constexpr const char *kLibrary = "libvirt.so.0";

constexpr SymbolEntry kEntries[] = {
#define KEYHOLD_ENTRY(result, name, parameters) {#name, offsetof(Symbols, name)},
    KEYHOLD_LIBVIRT_SYMBOLS(KEYHOLD_ENTRY)
#undef KEYHOLD_ENTRY
};

struct Lookup {
    Symbols table;
    const char *missing;
};
static_assert(std::is_trivially_destructible_v<Lookup>, "used while the process exits");

Lookup lookUpAll() noexcept {
    Lookup lookup{{}, kLibrary};
    // The handle is never closed: the addresses must stay good as long as the process.
    if (void *handle = dlopen(kLibrary, RTLD_NOW | RTLD_NOLOAD))
        lookup.missing = lookUpSymbols(handle, kEntries, lookup.table);
    return lookup;
}

const Lookup &lookup() noexcept {
    static const Lookup kLookup = lookUpAll();
    return kLookup;
}

} // namespace

std::span<const SymbolEntry> symbolEntries() noexcept {
    return kEntries;
}

const char *lookUpSymbols(void *handle, std::span<const SymbolEntry> entries,
                          Symbols &table) noexcept {
    const char *missing = "";
    for (const SymbolEntry &entry : entries) {
        void *address = dlsym(handle, entry.name);
        if (address == nullptr && *missing == '\0')
            missing = entry.name;
        std::memcpy(reinterpret_cast<char *>(&table) + entry.offset, &address, sizeof(address));
    }
    return missing;
}

const char *loadSymbols() noexcept {
    return lookup().missing;
}

const Symbols &symbols() noexcept {
    return lookup().table;
}

} // namespace keyhold::abi
