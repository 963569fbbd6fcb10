// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes a store of sealed values from one key to another, as the driver does after a reload, and
// prints how long it took.
#include "common/clocks.h"
#include "common/commands.h"
#include "common/standard_error.h"
#include "directory/directory_backend.h"
#include "os/store_directory.h"
#include "store/secret_store.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace keyhold::bench {

namespace {

using RawKey = std::array<std::uint8_t, Key::kSize>;

RawKey readKey(const std::string &path) {
    RawKey raw{};
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char *>(raw.data()), raw.size()))
        throw std::runtime_error("no key of 32 bytes in " + path);
    return raw;
}

Figures rotate(const std::string &path, const RawKey &from, const RawKey &to) {
    Keyring keyring;
    keyring.setPrimary(to);
    keyring.addEarlier(from);
    const auto policy = std::make_shared<CurrentPolicy>();
    policy->set(std::make_shared<const SealingPolicy>(
        std::move(keyring),
        SealingPolicy::Rules{.mustSeal = true, .convertExisting = false, .complaint = {}}));

    StandardError log;
    SecretStore store(std::make_shared<DirectoryBackend>(
                          std::make_unique<StoreDirectory>(posixFileSystem(), path), log),
                      policy, log);
    store.load();
    const std::size_t values = store.all().size();
    const Stopwatch watch;
    store.reencrypt([] { return false; });
    const double wall = watch.wall();
    if (store.needsReencryption())
        throw std::runtime_error("some values have the old key still");
    return {{"values", static_cast<double>(values)}, {"wall", wall}, {"cpu", watch.cpu()}};
}

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    using namespace keyhold::bench;
    try {
        if (argc != 4) {
            std::fputs("usage: rotation DIRECTORY FROM-KEYFILE TO-KEYFILE\n", stderr);
            return 2;
        }
        printFigures(rotate(argv[1], readKey(argv[2]), readKey(argv[3])));
        return 0;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "rotation: %s\n", problem.what());
        return 1;
    }
}
