// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/host_fixture.h"

#include <array>
#include <filesystem>
#include <fstream>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

bool becomeBoundRoot() {
    if (const uid_t user = ::geteuid(); user != 0) {
        if (::unshare(CLONE_NEWUSER) != 0)
            return false;
        std::ofstream map("/proc/self/uid_map");
        map << "0 " << user << " 1" << std::flush;
        if (!map || ::geteuid() != 0)
            return false;
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
    return ::syscall(SYS_capset, &header, none) == 0;
}

} // namespace keyhold
