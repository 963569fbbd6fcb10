// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints the keyed hash of three bytes; every process has a key of its own.
#include "conf/sodium.h"

#include <array>
#include <cstdio>

int main() {
    const std::array<std::uint8_t, 3> bytes{1, 2, 3};
    std::printf("%zu\n", keyhold::keyedHash(bytes));
    return 0;
}
