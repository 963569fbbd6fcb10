// SPDX-License-Identifier: LGPL-2.1-or-later
// Fills a directory with the files of many secrets, as a driver would have written them.
#include "common/clocks.h"
#include "common/fixed_secrets.h"
#include "common/threads.h"
#include "conf/secret_xml.h"
#include "seal/sealing_policy.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold::bench {

namespace {

void writeFile(int directory, const std::string &name, const void *bytes, std::size_t size) {
    const int file = openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        throw std::system_error(errno, std::generic_category(), name);
    const ssize_t written = write(file, bytes, size);
    close(file);
    if (written != static_cast<ssize_t>(size))
        throw std::system_error(errno, std::generic_category(), "write " + name);
}

// The definitions here are made without the driver's own code: it must agree with them.
void requireCanonical() {
    const std::string xml = xmlOf(1);
    if (formatSecretXml(parseSecretXml(xml.c_str())) != xml)
        throw std::runtime_error("the driver would write the definition in another way:\n" + xml);
}

SealingPolicy sealing(const std::string &keyFile) {
    std::array<std::uint8_t, Key::kSize> raw{};
    std::ifstream file(keyFile, std::ios::binary);
    if (!file.read(reinterpret_cast<char *>(raw.data()), raw.size()))
        throw std::runtime_error("no key of 32 bytes in " + keyFile);
    Keyring keyring;
    keyring.setPrimary(raw);
    return SealingPolicy(
        std::move(keyring),
        SealingPolicy::Rules{.mustSeal = true, .convertExisting = false, .complaint = {}});
}

void fill(const std::string &path, std::uint64_t count, const SealingPolicy &policy) {
    const int directory = open(path.c_str(), O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        throw std::system_error(errno, std::generic_category(), path);
    const ValueFormat format = policy.formatOfNew();
    std::atomic<std::uint64_t> next{0};
    timeThreads(processors(), [&](unsigned) {
        for (std::uint64_t number = next++; number < count; number = next++) {
            const UuidBytes bytes = uuidOf(number);
            const std::string uuid = textOf(bytes);
            const std::string xml = xmlOf(number);
            writeFile(directory, uuid + ".xml", xml.data(), xml.size());
            const ValueBytes value = valueOf(number);
            policy.encode(format, Uuid(bytes), value, [&](std::span<const std::uint8_t> text) {
                writeFile(directory, uuid + "." + std::string(valueFormatName(format)), text.data(),
                          text.size());
            });
        }
    });
    close(directory);
}

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    using namespace keyhold::bench;
    try {
        if (argc != 3 && argc != 4) {
            std::fputs("usage: make_store DIRECTORY COUNT [KEYFILE]\n"
                       "With a key file, the values are sealed.\n",
                       stderr);
            return 2;
        }
        requireCanonical();
        std::filesystem::create_directories(argv[1]);
        std::filesystem::permissions(argv[1], std::filesystem::perms::owner_all);
        const auto policy = argc == 4 ? sealing(argv[3]) : keyhold::SealingPolicy();
        fill(argv[1], std::stoull(argv[2]), policy);
        return 0;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "make_store: %s\n", problem.what());
        return 1;
    }
}
