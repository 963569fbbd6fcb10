// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/store_files.h"

#include "seal/jwe.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <sys/stat.h>

namespace keyhold {

namespace {

std::array<std::uint8_t, Key::kSize> rawKey(std::uint8_t seed) {
    std::array<std::uint8_t, Key::kSize> raw;
    raw.fill(seed);
    return raw;
}

std::span<const std::uint8_t> bytesOf(const std::string &text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

StoreFiles::StoreFiles() {
    std::filesystem::create_directories(secrets());
    ::chmod(secrets().c_str(), 0700);
}

void StoreFiles::put(const std::string &name, const std::string &content) const {
    writePrivateFile(secrets() + "/" + name, content);
}

std::map<std::string, std::string> StoreFiles::files() const {
    std::map<std::string, std::string> files;
    for (const auto &entry : std::filesystem::directory_iterator(secrets())) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
}

Uuid StoreFiles::uuid(int n) {
    std::array<std::uint8_t, Uuid::kSize> bytes{};
    bytes.at(Uuid::kSize - 2) = static_cast<std::uint8_t>(n >> 8);
    bytes.back() = static_cast<std::uint8_t>(n);
    return Uuid(bytes);
}

std::string StoreFiles::nameOf(int n, const std::string &suffix) {
    return uuid(n).toString() + "." + suffix;
}

void StoreFiles::define(int n) const {
    put(nameOf(n, "xml"), "<secret><uuid>" + uuid(n).toString() +
                              "</uuid><usage type='ceph'><name>use " + std::to_string(n) +
                              "</name></usage></secret>");
}

void StoreFiles::addPlain(int n, const std::string &value) const {
    define(n);
    SealingPolicy().encode(ValueFormat::plain, uuid(n), bytesOf(value), [&](auto text) {
        put(nameOf(n, "base64"), {text.begin(), text.end()});
    });
}

void StoreFiles::addSealed(int n, const std::string &value, std::uint8_t key) const {
    define(n);
    put(nameOf(n, "jwe"), sealJwe(Key(rawKey(key)), uuid(n), bytesOf(value)));
}

void writePrivateFile(const std::string &path, const std::string &content) {
    std::ofstream(path, std::ios::binary) << content;
    if (::chmod(path.c_str(), 0600) != 0)
        throw std::runtime_error("cannot write " + path);
}

std::shared_ptr<const SealingPolicy>
policyOf(std::uint8_t seed, const std::vector<std::uint8_t> &earlier, SealingPolicy::Rules rules) {
    Keyring keyring;
    if (seed != 0)
        keyring.setPrimary(rawKey(seed));
    for (const std::uint8_t each : earlier)
        keyring.addEarlier(rawKey(each));
    return std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
}

std::string keyIdOf(std::uint8_t seed) {
    return Key(rawKey(seed)).id();
}

} // namespace keyhold
