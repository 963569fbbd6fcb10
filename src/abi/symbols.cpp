// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"

#include <type_traits>

#include <dlfcn.h>

namespace keyhold::abi {
namespace {

constexpr const char *kLibrary = "libvirt.so.0";

struct Lookup {
    Symbols table;
    const char *missing;
};
static_assert(std::is_trivially_destructible_v<Lookup>, "used while the process exits");

Lookup lookUpAll() noexcept {
    Lookup lookup{{}, kLibrary};
    // The handle is never closed: the addresses must stay good as long as the process.
    if (void *handle = dlopen(kLibrary, RTLD_NOW | RTLD_NOLOAD))
        lookup.missing = lookUpSymbols(lookup.table, handle, dlsym);
    return lookup;
}

const Lookup &lookup() noexcept {
    static const Lookup kLookup = lookUpAll();
    return kLookup;
}

} // namespace

const char *lookUpSymbols(Symbols &table, void *library,
                          void *(*find)(void *library, const char *name)) noexcept {
    const char *missing = "";
    const auto addressOf = [&](const char *name) {
        void *address = find(library, name);
        if (address == nullptr && *missing == '\0')
            missing = name;
        return address;
    };
#define KEYHOLD_LOOK_UP(result, name, parameters)                                                  \
    table.name = reinterpret_cast<decltype(table.name)>(addressOf(#name));
    KEYHOLD_LIBVIRT_SYMBOLS(KEYHOLD_LOOK_UP)
#undef KEYHOLD_LOOK_UP
    table.virThreadJobGet =
        reinterpret_cast<decltype(table.virThreadJobGet)>(find(library, "virThreadJobGet"));
    return missing;
}

const char *loadSymbols() noexcept {
    return lookup().missing;
}

const Symbols &symbols() noexcept {
    return lookup().table;
}

} // namespace keyhold::abi
