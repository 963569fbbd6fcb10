// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/holder.h"

#include "conf/error.h"
#include "os/descriptor.h"
#include "os/file_system.h"
#include "os/lock_holder.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr std::size_t kMaxModuleSize = std::size_t{256} * 1024 * 1024;
constexpr std::string_view kModule = "/libvirt_driver_secret.so";
constexpr std::string_view kDeleted = " (deleted)";

/// Empty if it cannot be read or is no regular file: the process chose what its path leads to.
std::string contentOf(const std::string &path) {
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor file(
        fileSystem, fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0));
    FileStatus status;
    if (file.number() < 0 || fileSystem.status(file.number(), status) < 0 || !S_ISREG(status.mode))
        return {};
    std::string content;
    for (;;) {
        constexpr std::size_t kStep = 65536;
        const std::size_t have = content.size();
        content.resize(have + kStep);
        const ssize_t got = fileSystem.read(file.number(), content.data() + have, kStep);
        content.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0)
            return {};
        if (got == 0 || content.size() > kMaxModuleSize)
            return content;
    }
}

Holder::Driver driverOf(const std::string &proc, const LoadedModule &module, bool hasDirectory) {
    // Of a module that is no longer at its path, only the mapping leads to the file, and only for
    // root.
    const std::string content = contentOf(module.isRemoved ? proc + "/map_files/" + module.addresses
                                                           : proc + "/root" + module.path);
    // No other driver locks the directory.
    if (content.empty())
        return hasDirectory ? Holder::Driver::keyhold : Holder::Driver::unknown;
    return content.find("Keyhold: ") == std::string::npos ? Holder::Driver::other
                                                          : Holder::Driver::keyhold;
}

std::string variableOf(const std::string &environment, const std::string &name) {
    std::string_view rest = environment;
    while (!rest.empty()) {
        const std::string_view entry = rest.substr(0, rest.find('\0'));
        if (entry.starts_with(name + "="))
            return std::string(entry.substr(name.size() + 1));
        rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    }
    return {};
}

Holder describe(pid_t pid, bool hasPidFile, bool hasDirectory) {
    Holder holder;
    holder.pid = pid;
    holder.hasPidFile = hasPidFile;
    if (pid == 0)
        return holder;
    const std::string proc = "/proc/" + std::to_string(pid);
    holder.name = processName(pid);
    const std::string status = contentOf(proc + "/status");
    if (const auto module = loadedModuleIn(contentOf(proc + "/maps"))) {
        holder.driver = driverOf(proc, *module, hasDirectory);
        holder.isModuleReplaced = module->isReplaced;
    }
    holder.handlesHangup = handlesHangup(status);
    if (holder.driver != Holder::Driver::other)
        holder.keyMemory = keyMemoryOf(contentOf(proc + "/smaps"));
    holder.credentialsDirectory = variableOf(contentOf(proc + "/environ"), "CREDENTIALS_DIRECTORY");
    return holder;
}

[[noreturn]] void raiseUnseen(const std::string &path, int error) {
    throw Error(ErrorCode::fileAccess, "cannot see who holds " + inQuotes(path), error);
}

/// Empty if nobody has it, 0 if that cannot be seen.
std::optional<pid_t> holderOfPidFile(const std::string &stateDirectory) {
    const std::string path = stateDirectory + "/driver.pid";
    FileSystem &fileSystem = posixFileSystem();
    const int number =
        fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    if (number == -ENOENT || number == -ENOTDIR)
        return std::nullopt;
    if (number < 0)
        raiseUnseen(path, -number);
    const Descriptor file(fileSystem, number);
    const std::optional<pid_t> holder = holderOfLock(number);
    if (holder && *holder < 0)
        raiseUnseen(path, -*holder);
    return holder;
}

/// The same; where directories cannot be locked, nobody has it.
std::optional<pid_t> holderOfDirectory(const std::string &path) {
    FileSystem &fileSystem = posixFileSystem();
    const int number = fileSystem.openDirectory(path);
    if (number == -ENOENT || number == -ENOTDIR)
        return std::nullopt;
    if (number < 0)
        raiseUnseen(path, -number);
    const Descriptor directory(fileSystem, number);
    if (::flock(number, LOCK_SH | LOCK_NB) == 0) {
        ::flock(number, LOCK_UN);
        return std::nullopt;
    }
    if (errno != EWOULDBLOCK)
        return std::nullopt;
    return holderOfDirectoryLock(number);
}

} // namespace

std::string Holder::text() const {
    return processText(pid, name);
}

std::string keyMemoryOf(const std::string &smaps) {
    std::string found = smaps.empty() ? "" : "none";
    std::istringstream lines(smaps);
    bool isSecretmem = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("/secretmem (deleted)") != std::string::npos)
            isSecretmem = true;
        if (!line.starts_with("VmFlags:"))
            continue;
        const auto has = [&](const char *flag) { return line.find(flag) != std::string::npos; };
        if (has(" dd") && has(" dc")) {
            const char *kind = isSecretmem ? "secretmem" : has(" lo") ? "locked" : "unlocked";
            // Where there is secret memory, the keys of secret.conf are in it, and the locked one
            // has what was there before them. Memory that is not locked counts before both.
            if (found == "none" || kind == std::string("unlocked") ||
                (isSecretmem && found != "unlocked"))
                found = kind;
        }
        isSecretmem = false;
    }
    return found;
}

bool handlesHangup(const std::string &status) {
    constexpr std::string_view kCaught = "\nSigCgt:";
    const std::size_t at = status.find(kCaught);
    return at != std::string::npos &&
           (std::strtoull(status.c_str() + at + kCaught.size(), nullptr, 16) >> (SIGHUP - 1) & 1) !=
               0;
}

std::optional<LoadedModule> loadedModuleIn(const std::string &maps) {
    std::istringstream lines(maps);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t name = line.rfind(kModule);
        const std::size_t path = line.find('/');
        if (name == std::string::npos)
            continue;
        LoadedModule module;
        module.isRemoved = line.ends_with(kDeleted);
        if (module.isRemoved)
            line.resize(line.size() - kDeleted.size());
        // dpkg-divert appends ".distrib".
        const std::string suffix = line.substr(name + kModule.size());
        if (!suffix.empty() && (!suffix.starts_with('.') || suffix.find('/') != std::string::npos))
            continue;
        module.isReplaced = module.isRemoved || !suffix.empty();
        module.path = line.substr(path);
        module.addresses = line.substr(0, line.find(' '));
        return module;
    }
    return std::nullopt;
}

std::optional<Holder> findHolder(const InstancePaths &paths) {
    const auto byPidFile = holderOfPidFile(paths.stateDirectory);
    const auto byDirectory = holderOfDirectory(paths.configDirectory);
    if (!byPidFile && !byDirectory)
        return std::nullopt;
    if (!byDirectory || byPidFile == byDirectory)
        return describe(*byPidFile, true, byDirectory.has_value());
    if (byPidFile) {
        // One with Keyhold changes nothing while another process has the directory.
        Holder holder = describe(*byPidFile, true, false);
        if (holder.driver != Holder::Driver::keyhold)
            return holder;
    }
    return describe(*byDirectory, false, true);
}

std::optional<Holder> findLastingHolder(const InstancePaths &paths) {
    auto holder = findHolder(paths);
    if (holder && !holder->hasPidFile && holder->driver == Holder::Driver::unknown)
        holder.reset();
    return holder;
}

} // namespace keyhold::command
