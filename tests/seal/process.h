// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <set>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace keyhold {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMlockWorks = false; // the sanitizers make it do nothing
#else
inline constexpr bool kMlockWorks = true;
#endif

/// Exit status of a forked child that runs `body`; 255 if it was killed or `body` threw.
template <typename Body>
int inChild(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            ::_exit(body());
        } catch (...) {
            ::_exit(255);
        }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// The VmFlags of the mapping that holds `address`, from /proc/self/smaps (proc(5)); empty if
/// nothing is mapped there.
std::set<std::string> memoryFlags(const void *address);

/// Number of mappings of this process that are left out of core dumps and zero in a child.
std::size_t guardedMappings();

} // namespace keyhold
