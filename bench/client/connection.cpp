// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/connection.h"

#include "client/session_daemon.h"
#include "common/clocks.h"
#include "common/fixed_secrets.h"

#include <stdexcept>

#include <libvirt/virterror.h>

namespace keyhold::bench {

Connection openMeasured(const std::string &uri, const std::string &directory, Figures &figures) {
    const auto before = static_cast<double>(residentBytes());
    const Stopwatch watch;
    if (!directory.empty())
        becomeSessionDaemon(directory);
    Connection connection(virConnectOpen(uri.c_str()));
    const double wall = watch.wall();
    const double cpu = watch.cpu();
    if (!connection)
        fail("open " + uri);
    figures = {{"wall", wall},
               {"cpu", cpu},
               {"resident_before", before},
               {"resident", static_cast<double>(residentBytes())},
               {"peak", static_cast<double>(peakResidentBytes())}};
    return connection;
}

void fail(const std::string &what) {
    throw std::runtime_error(what + ": " + virGetLastErrorMessage());
}

Secret lookup(const Target &target, std::uint64_t number) {
    Secret secret(virSecretLookupByUUID(target.connection, uuidOf(number).data()));
    if (!secret)
        fail("look secret " + std::to_string(number) + " up");
    return secret;
}

} // namespace keyhold::bench
