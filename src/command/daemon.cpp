// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/daemon.h"

#include "command/output.h"
#include "conf/error.h"
#include "host/driver_report.h"
#include "os/file_system.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <cerrno>
#include <csignal>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(100);
// A daemon that is at another reload, or still starting, drops the signal.
constexpr auto kSignalAgain = std::chrono::seconds(5);
constexpr auto kPatience = std::chrono::seconds(30);
constexpr std::size_t kMaxReport = std::size_t{1} << 20; // bytes

// <sys/pidfd.h> of glibc 2.36 cannot be used from C++.
int openProcess(pid_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}
int signalProcess(int descriptor, int number) {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, descriptor, number, nullptr, 0));
}

[[noreturn]] void refuse(const std::string &text) {
    throw Error(ErrorCode::configUnsupported, text);
}

} // namespace

Daemon::Settings settingsOf(const Target &target, pid_t pid) {
    using Settings = Daemon::Settings;
    try {
        const auto directory =
            StoreDirectory::toReachFiles(posixFileSystem(), target.paths.stateDirectory);
        const auto text = readTextFile(directory, DriverReport::kFileName, kMaxReport);
        if (!text)
            return Settings::unknown;
        const Json report = Json::parse(*text);
        if (report.at("pid").get<pid_t>() != pid)
            return Settings::unknown;
        const Json &settings = report.at("settings");
        if (settings.at("file").get<std::string>() != target.paths.settingsFile)
            return Settings::unread;
        FileStatus now;
        const bool isThere = posixFileSystem().statusOf(target.paths.settingsFile, now) >= 0;
        const Json &read = settings.at("status");
        if (read.is_null() || !isThere)
            return read.is_null() && !isThere ? Settings::read : Settings::unread;
        const bool isSame = read.at("device").get<dev_t>() == now.device &&
                            read.at("inode").get<ino_t>() == now.inode &&
                            read.at("size").get<off_t>() == now.size &&
                            read.at("changed").get<std::int64_t>() == now.changed;
        return isSame ? Settings::read : Settings::unread;
    } catch (const std::exception &) {
        return Settings::unknown;
    }
}

Daemon::Daemon(const Target &target, const Holder &holder)
    : target_(target),
      holder_(holder),
      descriptor_(posixFileSystem(), openProcess(holder.pid)) {
    if (descriptor_.number() < 0)
        throw Error(ErrorCode::systemCall, "cannot reach " + holder_.text(), errno);
    const auto now = findHolder(target.paths);
    if (!now || now->pid != holder.pid)
        refuse(holder_.text() + " has ended; run the command again");
}

void Daemon::reload() const {
    if (signalProcess(descriptor_.number(), SIGHUP) != 0 && errno != ESRCH)
        throw Error(ErrorCode::systemCall, "cannot send SIGHUP to " + holder_.text(), errno);
}

bool Daemon::hasEnded(std::chrono::milliseconds wait) const {
    pollfd entry{descriptor_.number(), POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(wait.count())) > 0;
}

Daemon::Settings Daemon::readSettings(const std::function<bool()> &isStopped) const {
    Settings state = settingsOf(target_, holder_.pid);
    if (state == Settings::read)
        return state;
    const auto begin = Clock::now();
    reload();
    for (auto signalledAt = begin; Clock::now() - begin < kPatience && !isStopped();) {
        if (hasEnded(kLook))
            return Settings::ended;
        state = settingsOf(target_, holder_.pid);
        if (state == Settings::read)
            return state;
        // One that gives no report now will not do so later.
        if (state == Settings::unknown && Clock::now() - begin > kSignalAgain)
            return state;
        if (Clock::now() - signalledAt > kSignalAgain) {
            signalledAt = Clock::now();
            reload();
        }
    }
    return state;
}

void requireReloading(const Target &target, const Holder &holder) {
    const std::string inUse =
        inQuotes(target.paths.configDirectory) + " is in use by " + holder.text();
    if (target.kind == Target::Kind::embedded)
        refuse(inUse + "; end it first");
    switch (holder.driver) {
    case Holder::Driver::keyhold:
        break;
    case Holder::Driver::other:
        refuse(inUse + ", with libvirt's own driver; stop it first");
    case Holder::Driver::unknown:
        refuse(inUse + ", and whether that has this driver is unknown; stop it first");
    }
    // By the directory alone it may be a program with an embedded root that leads here.
    if (!holder.hasPidFile && holder.name != "libvirtd" && holder.name != "virtsecretd")
        refuse(inUse + ", which is no daemon of libvirt's; end it first");
    if (!holder.handlesHangup)
        refuse(inUse + ", which does not reload on SIGHUP; stop it first");
}

} // namespace keyhold::command
