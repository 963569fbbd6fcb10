// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/release.h"

#include <libvirt/libvirt.h>

namespace keyhold::abi {

unsigned long runningRelease() noexcept {
    // Asked once: virGetVersion resets the error of the calling thread.
    static const unsigned long kRelease = [] {
        unsigned long release = 0;
        return virGetVersion(&release, nullptr, nullptr) == 0 ? release : 0UL;
    }();
    return kRelease;
}

} // namespace keyhold::abi
