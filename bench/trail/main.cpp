// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes records to an audit trail of its own, by as many threads as asked for, or the bare system
// calls of a record.
#include "audit/chain.h"
#include "audit/trail.h"
#include "common/clocks.h"
#include "common/commands.h"
#include "common/durable_write.h"
#include "common/standard_error.h"
#include "common/threads.h"
#include "conf/uuid.h"

#include <array>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold::bench {

namespace {

constexpr const char *kJob = "remoteDispatchSecretGetValue";

// As of a client on the unix socket of a daemon.
audit::Record recordOfRead() {
    audit::Record record;
    record.action = audit::Action::valueRead;
    record.time = audit::now();
    record.isCall = true;
    Caller caller;
    caller.userId = 1000;
    caller.userName = "operator";
    caller.processId = 12345;
    caller.processStart = 678901;
    record.caller = caller;
    record.job = kJob;
    record.connection = "secret:///system";
    static constexpr std::array<std::uint8_t, Uuid::kSize> kUuid{1, 2, 3, 4};
    record.secret = Uuid(std::span(kUuid));
    record.usage = Usage{.type = UsageType::ceph, .id = "client.libvirt secret"};
    return record;
}

Figures admit(audit::Trail &trail, const Words &words) {
    const std::size_t times = words.number(0);
    const auto threads = static_cast<unsigned>(words.number(1));
    trail.admit(recordOfRead()); // the file is open, and the thread awake
    const std::uint64_t writes = writeCalls();
    const double seconds = timeThreads(threads, [&](unsigned) {
        for (std::size_t i = 0; i < times; ++i)
            trail.admit(recordOfRead());
    });
    const auto records = static_cast<double>(times * threads);
    return {{"seconds", seconds / static_cast<double>(times)},
            {"per_second", records / seconds},
            {"per_write", records / static_cast<double>(writeCalls() - writes)}};
}

Figures bare(int file, bool isSynced, const Words &words) {
    const std::size_t times = words.number(0);
    std::string line;
    audit::Head head;
    audit::appendLine(line, audit::textOf(recordOfRead(), 1, audit::Source()), head, nullptr);
    const Stopwatch watch;
    for (std::size_t i = 0; i < times; ++i) {
        require(write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()),
                "write");
        require(!isSynced || fdatasync(file) == 0, "fdatasync");
    }
    return {{"seconds", watch.wall() / static_cast<double>(times)}};
}

int run(const std::string &directory, bool isSynced) {
    StandardError log;
    audit::Options options;
    options.file = directory + "/audit.jsonl";
    options.keyFile = directory + "/key/audit-key"; // is not there: not sealed
    options.isSynced = isSynced;
    options.spoolFile = "/dev/shm/keyhold-bench-spool";
    options.source = {.instance = "system", .host = "host", .bootId = std::string(32, '0')};
    audit::Trail trail(posixFileSystem(), std::move(options), log);
    const std::string path = directory + "/bare";
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    require(file >= 0, path);
    obey({
        {"admit", [&](const Words &words) { return admit(trail, words); }},
        {"bare", [&](const Words &words) { return bare(file, isSynced, words); }},
    });
    close(file);
    return 0;
}

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    try {
        const std::string sync = argc == 3 ? argv[2] : "";
        if (sync != "sync" && sync != "nosync") {
            std::fputs(
                "usage: bench_trail DIRECTORY sync|nosync\n"
                "DIRECTORY is an absolute path. Commands: admit TIMES THREADS, bare TIMES.\n",
                stderr);
            return 2;
        }
        return keyhold::bench::run(argv[1], sync == "sync");
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "bench_trail: %s\n", problem.what());
        return 1;
    }
}
