// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox.h"

#include "files.h"

#include <fstream>
#include <sstream>

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace keyhold {

void isolateMounts() {
    check(unshare(CLONE_NEWNS) == 0, "unshare");
    // Each by name: in a chroot "/" need not be a mount point.
    std::istringstream mounts(readFile("/proc/self/mountinfo"));
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, inside, point;
        fields >> id >> parent >> device >> inside >> point;
        mount(nullptr, point.c_str(), nullptr, MS_PRIVATE, nullptr);
    }
}

void mountTmpfs(const std::string &path, unsigned kibibytes) {
    std::string options = "mode=0700,size=" + std::to_string(kibibytes) + "k";
    check(mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0, "mount " + path);
}

void mountItself(const std::string &path) {
    check(mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0, "bind " + path);
}

void makeReadOnly(const std::string &path) {
    check(mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0,
          "remount " + path);
}

void makeWritable(const std::string &path) {
    check(mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0,
          "remount " + path);
}

void becomeNobody() {
    constexpr uid_t kNobody = 65534;
    check(setgroups(0, nullptr) == 0, "setgroups");
    check(setresgid(kNobody, kNobody, kNobody) == 0, "setresgid");
    check(setresuid(kNobody, kNobody, kNobody) == 0, "setresuid");
    // A change of user makes a process undumpable, which hides its /proc/self from itself.
    check(prctl(PR_SET_DUMPABLE, 1) == 0, "prctl");
}

} // namespace keyhold
