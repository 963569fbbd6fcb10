// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/daemon.h"

#include "command/told_state.h"
#include "conf/error.h"
#include "os/file_system.h"

#include <cerrno>
#include <csignal>

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

/// By the report of the driver: whether it goes by the file of settings that is there now.
Daemon::Settings settingsOf(const Target &target, const Holder &holder) {
    const DriverView view = viewDriver(target, holder);
    if (!view.told)
        return Daemon::Settings::unknown;
    const bool isRead =
        view.told->report.settings.path == target.paths.settingsFile && hasReadSettings(*view.told);
    return isRead ? Daemon::Settings::read : Daemon::Settings::unread;
}

} // namespace

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
    Settings state = settingsOf(target_, holder_);
    if (state == Settings::read)
        return state;
    const auto begin = Clock::now();
    reload();
    for (auto signalledAt = begin; Clock::now() - begin < kPatience && !isStopped();) {
        if (hasEnded(kLook))
            return Settings::ended;
        state = settingsOf(target_, holder_);
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
