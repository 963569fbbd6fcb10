// SPDX-License-Identifier: LGPL-2.1-or-later
// Drives whatever secret driver answers a URI, through the public API of libvirt: the module in
// LIBVIRT_DRIVER_DIR for an embedded root, a daemon for its socket. See commands.h.
#include "client/access_floor.h"
#include "client/connection.h"
#include "client/latency.h"
#include "client/reads.h"
#include "client/writes.h"
#include "common/clocks.h"
#include "common/commands.h"
#include "inhibit.h"

#include <cstdio>

#include <libvirt/virterror.h>

namespace {

using namespace keyhold::bench;

int run(const std::string &uri, std::uint64_t count, const std::string &directory) {
    // Without one, libvirt's own module of 9.0.0 crashes in embedded mode.
    keyhold::inhibit::choose(keyhold::inhibit::Mode::count);
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    // Embedded mode demands one; nothing here waits for events, so nobody runs it.
    if (virEventRegisterDefaultImpl() != 0)
        fail("register an event loop");
    Figures opened;
    const Connection connection = openMeasured(uri, directory, opened);
    printFigures(opened);

    const Target target{connection.get(), count};
    const auto on = [&](auto function) -> Command {
        return [&target, function](const Words &words) { return function(target, words); };
    };
    obey({
        {"read", on(readRepeatedly)},
        {"list", on(listRepeatedly)},
        {"threads", on(readInThreads)},
        {"write", on(writeRepeatedly)},
        {"latency", on(latency)},
        {"checks", on(timeChecks)},
        {"handles", on(timeHandles)},
        {"reload", [](const Words &) { return reload(); }},
        {"memory",
         [](const Words &) -> Figures {
             return {{"resident", static_cast<double>(residentBytes())},
                     {"peak", static_cast<double>(peakResidentBytes())}};
         }},
    });
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    try {
        if (argc != 3 && argc != 4) {
            std::fputs("usage: bench_client URI COUNT [DIRECTORY]\n"
                       "COUNT is the number of secrets that the store was filled with.\n"
                       "With a directory, the process is a session daemon of its own.\n",
                       stderr);
            return 2;
        }
        return run(argv[1], std::stoull(argv[2]), argc == 4 ? argv[3] : "");
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "bench_client: %s\n", problem.what());
        return 1;
    }
}
