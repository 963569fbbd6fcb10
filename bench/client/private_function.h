// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <stdexcept>
#include <string>

#include <dlfcn.h>

namespace keyhold::bench {

/// A function of libvirt that is not public, found as a driver finds it; raises if there is none.
template <typename Function>
[[nodiscard]] Function *privateFunction(const char *name) {
    void *const libvirt = dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
    void *const found = libvirt ? dlsym(libvirt, name) : nullptr;
    if (!found)
        throw std::runtime_error(std::string("no ") + name + " in this libvirt");
    return reinterpret_cast<Function *>(found);
}

} // namespace keyhold::bench
