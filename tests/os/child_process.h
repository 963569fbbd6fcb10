// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold {

/// Exit status of a child that runs `body`; 255 if it did not exit.
template <typename Body>
int inChild(Body body) {
    pid_t child = ::fork();
    if (child == 0)
        ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// Where the low half of an argument of a system call is in what a filter sees.
constexpr std::uint32_t lowHalfOfArgument(unsigned n) {
    const std::uint32_t low = std::endian::native == std::endian::big ? 4 : 0;
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + n * 8 + low;
}

/// From here on, in this process, `call` does nothing and answers -error (0 too) unless one of
/// `unless` is set in its argument `argument`. False if there are no such filters here.
inline bool refuse(long call, int error, unsigned argument = 0, std::uint32_t unless = 0) {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, lowHalfOfArgument(argument)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, unless, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace keyhold
