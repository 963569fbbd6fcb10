// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/libraries.h"

#include "abi/log_text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

namespace fs = std::filesystem;

constexpr const char *kModule = "libvirt_driver_secret.so";
constexpr std::chrono::seconds kPatience{10};

/// That of this program.
std::string dynamicLinker() {
    std::string path;
    ::dl_iterate_phdr(
        [](dl_phdr_info *info, std::size_t, void *out) {
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const ElfW(Phdr) &header = info->dlpi_phdr[i];
                // NOLINTBEGIN(performance-no-int-to-ptr)
                if (header.p_type == PT_INTERP)
                    *static_cast<std::string *>(out) =
                        reinterpret_cast<const char *>(info->dlpi_addr + header.p_vaddr);
                // NOLINTEND(performance-no-int-to-ptr)
            }
            return 1; // the first is the program
        },
        &path);
    return path;
}

struct Outcome {
    std::string output;
    int exit = -1; ///< -1 if it did not end by itself in time
};

/// What comes through the pipe until it ends; false if that takes too long.
bool readAll(int pipe, std::string &out) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        pollfd poll{pipe, POLLIN, 0};
        const int ready =
            ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
        if (got <= 0)
            return got == 0;
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Outcome listLibraries(const std::string &linker, const std::string &module) {
    Outcome outcome;
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return outcome;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    std::string name = linker;
    std::string list = "--list";
    std::string path = module;
    const std::array<char *, 4> arguments{name.data(), list.data(), path.data(), nullptr};
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, linker.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    if (error == 0) {
        const bool hasEnded = readAll(pipe[0], outcome.output);
        if (!hasEnded)
            ::kill(pid, SIGKILL);
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (hasEnded && WIFEXITED(status))
            outcome.exit = WEXITSTATUS(status);
    }
    ::close(pipe[0]);
    return outcome;
}

} // namespace

std::optional<std::string> installedModule() {
    std::error_code error;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets it
    if (const char *directory = std::getenv("LIBVIRT_DRIVER_DIR")) {
        const std::string path = std::string(directory) + "/" + kModule;
        return fs::exists(path, error) ? std::optional(path) : std::nullopt;
    }
    std::vector<fs::path> places{"/usr/lib64", "/usr/lib"};
    for (fs::directory_iterator each("/usr/lib", error); !error && each != fs::directory_iterator();
         each.increment(error)) {
        if (each->path().filename().string().find("-linux-") != std::string::npos)
            places.push_back(each->path());
    }
    for (const fs::path &place : places) {
        const fs::path path = place / "libvirt/connection-driver" / kModule;
        if (fs::exists(path, error))
            return path.string();
    }
    return std::nullopt;
}

std::vector<Finding> missingIn(const std::string &module, const std::string &output, int exit) {
    constexpr std::string_view kMissing = " => not found";
    std::vector<Finding> found;
    std::istringstream lines(output);
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t at = line.find(kMissing);
        const std::size_t begin = line.find_first_not_of(" \t");
        if (begin == std::string::npos)
            continue;
        last = line.substr(begin);
        if (at != std::string::npos && at > begin)
            found.push_back({Finding::Kind::library, module,
                             "needs " + line.substr(begin, at - begin) +
                                 ", which is not there; install it, or a daemon that is started "
                                 "comes up without secrets, or not at all"});
    }
    if (!found.empty() || exit == 0)
        return found;
    if (exit < 0)
        found.push_back({Finding::Kind::unseen, module,
                         "may need libraries that are not there; the dynamic linker did not say"});
    else
        found.push_back(
            {Finding::Kind::library, module, "cannot be loaded: " + abi::oneLine(last)});
    return found;
}

std::vector<Finding> missingLibraries(const std::string &module) {
    const std::string linker = dynamicLinker();
    if (linker.empty()) // this program has none, so it cannot ask
        return missingIn(module, {}, -1);
    const Outcome outcome = listLibraries(linker, module);
    return missingIn(module, outcome.output, outcome.exit);
}

} // namespace keyhold::command
