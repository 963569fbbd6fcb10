// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "directory/layout.h"
#include "directory/secret_inspection.h"
#include "os/descriptor.h"
#include "os/store_directory.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(200);
// A daemon that is at another reload, or still starting, drops the signal.
constexpr auto kSignalAgain = std::chrono::seconds(10);
constexpr auto kPatience = std::chrono::seconds(60);

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

void requireWilling(const Conversion &conversion, const Holder &holder, const HostKeys &keys) {
    const std::string inUse =
        inQuotes(conversion.target.paths.configDirectory) + " is in use by " + holder.text();
    if (conversion.target.kind == Target::Kind::embedded)
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
    const std::string lacking = lackingFor(conversion.purpose, keys.settings, keys.plan);
    if (!lacking.empty())
        refuse(inUse + ", which goes by " + inQuotes(conversion.target.paths.settingsFile) +
               "; set " + lacking + " there, or stop it first");
}

/// The process that held the store when it was looked at, whatever becomes of its number.
class Daemon {
  public:
    Daemon(const Target &target, const Holder &holder)
        : text_(holder.text()),
          descriptor_(posixFileSystem(), openProcess(holder.pid)) {
        if (descriptor_.number() < 0)
            throw Error(ErrorCode::systemCall, "cannot reach " + text_, errno);
        const auto now = findHolder(target.paths);
        if (!now || now->pid != holder.pid)
            refuse(text_ + " has ended; run the command again");
    }

    void reload() const {
        if (signalProcess(descriptor_.number(), SIGHUP) != 0 && errno != ESRCH)
            throw Error(ErrorCode::systemCall, "cannot send SIGHUP to " + text_, errno);
    }

    /// Waits for a while, or until it has ended.
    [[nodiscard]] bool hasEnded(std::chrono::milliseconds wait) const {
        pollfd entry{descriptor_.number(), POLLIN, 0};
        return ::poll(&entry, 1, static_cast<int>(wait.count())) > 0;
    }

  private:
    const std::string text_;
    const Descriptor descriptor_;
};

class Follower {
  public:
    Follower(Conversion &conversion, const Daemon &daemon, const StoreDirectory &directory,
             std::vector<Uuid> reencryptable)
        : conversion_(conversion),
          daemon_(daemon),
          directory_(directory),
          reencryptable_(std::move(reencryptable)) {}

    void follow() {
        // The daemon re-encrypts nothing whose definition it cannot load; waiting brings nothing.
        const auto unloadable =
            std::partition(reencryptable_.begin(), reencryptable_.end(),
                           [&](const Uuid &uuid) { return check(uuid).definition.has_value(); });
        const std::vector<Uuid> left(unloadable, reencryptable_.end());
        reencryptable_.erase(unloadable, reencryptable_.end());
        wait();
        for (const Uuid &uuid : left) {
            if (!isDone(check(uuid)))
                fail(uuid,
                     "cannot be read, so that the daemon does not re-encrypt its value; put it "
                     "right and run this again");
        }
    }

  private:
    void wait() {
        Progress progress(purposeName(conversion_.purpose), conversion_.total);
        auto movedAt = Clock::now();
        auto signalledAt = movedAt;
        while (!reencryptable_.empty()) {
            if (conversion_.isStopped())
                return tell("the daemon goes on by itself");
            if (daemon_.hasEnded(kLook))
                return tell("the daemon has ended");
            const std::size_t before = reencryptable_.size();
            look();
            progress.show(conversion_.total - reencryptable_.size());
            const auto now = Clock::now();
            if (reencryptable_.size() < before)
                movedAt = signalledAt = now;
            if (now - movedAt > kPatience)
                return failAll();
            if (now - signalledAt > kSignalAgain) {
                signalledAt = now;
                daemon_.reload();
            }
        }
    }

    void look() {
        std::erase_if(reencryptable_, [&](const Uuid &uuid) { return isDone(check(uuid)); });
    }

    [[nodiscard]] SecretInspection check(const Uuid &uuid) const {
        return inspectSecret(directory_, *conversion_.policy, uuid);
    }

    /// A value that is re-encrypted is done when its former file is gone too.
    static bool isDone(const SecretInspection &secret) {
        return !secret.needsReencryption &&
               std::ranges::none_of(secret.findings, [](const StoreFinding &finding) {
                   return finding.kind == StoreFinding::Kind::shadowedValue;
               });
    }

    void failAll() {
        for (const Uuid &uuid : reencryptable_)
            fail(uuid, "is of a value that the daemon did not re-encrypt; its log says why");
    }

    void fail(const Uuid &uuid, const char *text) {
        conversion_.failures.push_back(
            {Finding::Kind::unchanged, directory_.pathOf(layout::definitionName(uuid)), text});
    }

    Conversion &conversion_;
    const Daemon &daemon_;
    const StoreDirectory &directory_;
    std::vector<Uuid> reencryptable_;
};

} // namespace

void convertBeside(Conversion &conversion, const Holder &holder, const HostKeys &keys) {
    requireWilling(conversion, holder, keys);
    const Daemon daemon(conversion.target, holder);
    const StoreDirectory directory(posixFileSystem(), conversion.target.paths.configDirectory);
    std::vector<Uuid> reencryptable = inspect(directory, *conversion.policy).reencryptable;
    conversion.total = reencryptable.size();
    // Also where nothing is left to do: new values must get the current format and key.
    daemon.reload();
    Follower(conversion, daemon, directory, std::move(reencryptable)).follow();
}

} // namespace keyhold::command
