// SPDX-License-Identifier: LGPL-2.1-or-later
// Seals and opens values for tests with other JOSE implementations:
//
//   seal_jwe_tool seal|open KEYFILE UUID       from standard input to standard output
//   seal_jwe_tool jwk KEYFILE
#include "seal/jwe.h"

#include "conf/error.h"
#include "seal/plain_of.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace keyhold {
namespace {

int run(const std::vector<std::string> &arguments) {
    std::array<std::uint8_t, Key::kSize> raw{};
    std::ifstream(arguments.at(1), std::ios::binary)
        .read(reinterpret_cast<char *>(raw.data()), raw.size());
    Keyring ring;
    ring.setPrimary(raw);
    if (arguments[0] == "jwk") {
        std::array<std::uint8_t, Key::kJwkSize> jwk;
        ring.current()->writeJwk(jwk);
        std::cout.write(reinterpret_cast<const char *>(jwk.data()), jwk.size());
        return 0;
    }
    const Uuid uuid = Uuid::parseCanonical(arguments.at(2)).value();
    const std::vector<std::uint8_t> input(std::istreambuf_iterator<char>(std::cin), {});
    if (arguments[0] == "seal") {
        std::cout << sealJwe(*ring.current(), uuid, input);
        return 0;
    }
    const std::vector<std::uint8_t> plain = plainOf(openJwe(ring, uuid, input), uuid);
    std::cout.write(reinterpret_cast<const char *>(plain.data()),
                    static_cast<std::streamsize>(plain.size()));
    return 0;
}

} // namespace
} // namespace keyhold

int main(int count, char **arguments) {
    try {
        return keyhold::run({arguments + 1, arguments + count});
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
