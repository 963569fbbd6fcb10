// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace keyhold {

/// Who makes a call, as libvirt's identity of the calling thread has it. What is there depends on
/// the transport: a unix socket gives user and process, SASL and TLS give the names that a client
/// has authenticated with. The strings are as libvirt has them: what a client chose, any bytes.
struct Caller {
    /// libvirt works on its own account, be it for the client that the other fields name.
    bool isElevated = false;
    std::optional<uid_t> userId;
    std::optional<std::string> userName;
    std::optional<pid_t> processId;
    /// When the process started: clock ticks since the system did, as in proc_pid_stat(5). With the
    /// process id it names one process for as long as the system runs.
    std::optional<unsigned long long> processStart;
    std::optional<std::string> saslName;
    std::optional<std::string> x509Name; ///< the distinguished name of the client's certificate
    std::optional<std::string> selinuxContext;
};

} // namespace keyhold
