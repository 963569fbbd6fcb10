// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>

namespace keyhold::golden {
namespace {

const std::filesystem::path kDirectory = KEYHOLD_GOLDEN_DIRECTORY;

} // namespace

Bytes read(const std::string &name) {
    std::ifstream file(kDirectory / name, std::ios::binary);
    if (!file)
        throw std::runtime_error("cannot open " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> namesIn(const std::string &directory) {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(kDirectory / directory))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

Uuid uuid() {
    return Uuid::parseCanonical("6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d10").value();
}

std::array<std::uint8_t, Key::kSize> counted(std::uint8_t first) {
    std::array<std::uint8_t, Key::kSize> bytes;
    std::iota(bytes.begin(), bytes.end(), first);
    return bytes;
}

Keyring keyring(std::uint8_t first) {
    Keyring ring;
    ring.setPrimary(counted(first));
    return ring;
}

} // namespace keyhold::golden
