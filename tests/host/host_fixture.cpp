// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/host_fixture.h"

#include <array>
#include <filesystem>
#include <fstream>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

void WithHost::SetUp() {
    ASSERT_EQ(0, virInitialize());
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {}); // libvirt would write to stderr
}

InstancePaths WithHost::paths() const {
    return {directory.path() + "/secrets", directory.path() + "/run", settingsFile(), false};
}

std::string WithHost::put(const std::string &name, const std::string &content) const {
    const std::string path = directory.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    EXPECT_EQ(0, ::chmod(path.c_str(), 0600));
    return path;
}

std::string WithHost::keyFile(std::uint8_t seed) const {
    return put("key-" + std::to_string(seed), std::string(Key::kSize, static_cast<char>(seed)));
}

std::string WithHost::keyIdOf(std::uint8_t seed) {
    std::array<std::uint8_t, Key::kSize> raw{};
    raw.fill(seed);
    return Key(raw).id();
}

unsigned somebody() {
    return ::geteuid() == 0 ? 65534 : ::geteuid();
}

bool becomeSomebody() {
    return ::setresuid(somebody(), somebody(), somebody()) == 0;
}

} // namespace keyhold
