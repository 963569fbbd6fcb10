// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/private_mounts.h"

#include <cerrno>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <system_error>
#include <unistd.h>

namespace keyhold::private_mounts {

namespace {

void check(int result, const std::string &what) {
    if (result != 0)
        throw std::system_error(errno, std::generic_category(), what);
}

void writeFile(const std::string &path, const std::string &text) {
    std::ofstream file(path);
    file << text << std::flush;
    if (!file)
        throw std::system_error(errno, std::generic_category(), path);
}

void becomeRootOfNamespace(uid_t user, gid_t group) {
    writeFile("/proc/self/setgroups", "deny");
    writeFile("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    writeFile("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

} // namespace

void enter() {
    const uid_t user = geteuid();
    const gid_t group = getegid();
    check(unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER), "unshare");
    if (user != 0)
        becomeRootOfNamespace(user, group);

    // Each mount by its name: in a chroot "/" need not be one.
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, inside, point;
        fields >> id >> parent >> device >> inside >> point;
        mount(nullptr, point.c_str(), nullptr, MS_PRIVATE, nullptr);
    }
}

void bind(const std::string &from, const std::string &to) {
    check(mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), "bind " + to);
}

void mountEmpty(const std::string &path) {
    check(mount("tmpfs", path.c_str(), "tmpfs", 0, "mode=0755"), "mount " + path);
}

} // namespace keyhold::private_mounts
