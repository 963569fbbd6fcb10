// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "common/commands.h"

#include <cstdint>
#include <memory>
#include <string>

#include <libvirt/libvirt.h>

namespace keyhold::bench {

struct CloseConnection {
    void operator()(virConnectPtr connection) const noexcept { virConnectClose(connection); }
};
struct FreeSecret {
    void operator()(virSecretPtr secret) const noexcept { virSecretFree(secret); }
};
using Connection = std::unique_ptr<virConnect, CloseConnection>;
using Secret = std::unique_ptr<virSecret, FreeSecret>;

/// A store that a driver has open, and how many secrets it was filled with.
struct Target {
    virConnectPtr connection;
    std::uint64_t count;
};

/// Opens `uri` in a process that has opened nothing yet, which is made a session daemon of
/// `directory` before if that is not empty; raises with libvirt's message. `figures` get wall and
/// cpu (seconds), and the memory before and after (bytes).
[[nodiscard]] Connection openMeasured(const std::string &uri, const std::string &directory,
                                      Figures &figures);

/// Raises with libvirt's last message and what was done.
[[noreturn]] void fail(const std::string &what);

/// The secret of this number; raises if there is none.
[[nodiscard]] Secret lookup(const Target &target, std::uint64_t number);

} // namespace keyhold::bench
