// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/drift.h"

#include "conf/error.h"
#include "conf/uuid.h"
#include "os/store_directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string_view>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

constexpr std::string_view kSuffix = ".xml";

std::set<std::string> definedIn(const std::string &path) {
    std::set<std::string> found;
    const StoreDirectory directory(posixFileSystem(), path);
    directory.list([&](const char *each) {
        const std::string_view name = each;
        if (name.size() == VIR_UUID_STRING_BUFLEN - 1 + kSuffix.size() && name.ends_with(kSuffix))
            found.emplace(name.substr(0, name.size() - kSuffix.size()));
    });
    return found;
}

/// In a child: lines of "+UUID" for a persistent secret, "-UUID" for another, and "." at the end,
/// or
/// "!" and a reason.
std::string listText(const char *uri) {
    const auto failed = [] {
        const char *text = virGetLastErrorMessage();
        return "!" + std::string(text);
    };
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    virConnectPtr connection = virConnectOpenReadOnly(uri);
    if (connection == nullptr)
        return failed();
    std::string text;
    for (const auto &[flag, mark] : {std::pair{VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL, '+'},
                                     std::pair{VIR_CONNECT_LIST_SECRETS_EPHEMERAL, '-'}}) {
        virSecretPtr *secrets = nullptr;
        const int count = virConnectListAllSecrets(connection, &secrets, flag);
        if (count < 0)
            return failed();
        for (int i = 0; i < count; ++i) {
            std::array<char, VIR_UUID_STRING_BUFLEN> uuid{};
            if (virSecretGetUUIDString(secrets[i], uuid.data()) == 0)
                text += mark + std::string(uuid.data()) + "\n";
        }
    }
    return text + ".";
}

[[noreturn]] void runChild(int out, const char *uri) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the child has one thread
    ::setenv("LIBVIRT_AUTOSTART", "0", 1);
    const std::string text = listText(uri);
    for (std::string_view rest = text; !rest.empty();) {
        const ssize_t written = ::write(out, rest.data(), rest.size());
        if (written <= 0)
            break;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    ::_exit(0);
}

/// A call of libvirt cannot be given up, but a process can.
std::string askInChild(const char *uri) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) < 0)
        throw Error(ErrorCode::systemCall, "cannot make a pipe", errno);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        runChild(ends[1], uri);
    }
    ::close(ends[1]);
    std::string text;
    bool isLate = child < 0;
    const auto end = std::chrono::steady_clock::now() + kListPatience;
    while (!isLate) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        pollfd ready{ends[0], POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) {
            isLate = true;
            break;
        }
        std::array<char, 65536> buffer;
        const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    if (child > 0) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    return isLate ? "!no answer in " + std::to_string(kListPatience.count()) + " seconds" : text;
}

/// Raises internal with the reason if the daemon did not answer.
ListedSecrets listedBy(const char *uri) {
    const std::string text = askInChild(uri);
    if (text.starts_with('!'))
        throw Error(ErrorCode::internal, text.substr(1));
    if (!text.ends_with('.'))
        throw Error(ErrorCode::internal, "the answer was cut off");
    ListedSecrets listed;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::string uuid = line.substr(1);
        if (uuid.empty())
            continue;
        listed.all.insert(uuid);
        if (line.starts_with('+'))
            listed.persistent.insert(uuid);
    }
    return listed;
}

/// Why its daemon is not asked; empty if it is.
std::string obstacle(const Target &target, const Holder &holder) {
    if (target.kind == Target::Kind::embedded)
        return "a program with an embedded root answers nobody else";
    if (holder.pid == 0 || !holder.hasPidFile || !holder.handlesHangup)
        return "the process that holds the store is no daemon that can be seen";
    if (target.kind == Target::Kind::system && ::geteuid() != 0)
        return "only root sees every secret";
    return {};
}

} // namespace

Drift compare(const std::set<std::string> &before, const ListedSecrets &listed,
              const std::set<std::string> &after) {
    Drift drift;
    for (const std::string &uuid : before) {
        if (after.contains(uuid) && !listed.all.contains(uuid))
            drift.unlisted.insert(uuid);
    }
    for (const std::string &uuid : listed.persistent) {
        if (!before.contains(uuid) && !after.contains(uuid))
            drift.withoutFile.insert(uuid);
    }
    return drift;
}

Drift findDrift(const Target &target, const std::optional<Holder> &holder,
                const Inspection &inspection) {
    Drift drift;
    if (!holder)
        return drift;
    drift.unknown = obstacle(target, *holder);
    if (!drift.unknown.empty())
        return drift;
    const std::string &path = target.paths.configDirectory;
    const auto defined = [&] { return exists(target) ? definedIn(path) : std::set<std::string>(); };
    try {
        const auto before = defined();
        const ListedSecrets listed = listedBy(
            target.kind == Target::Kind::system ? "secret:///system" : "secret:///session");
        drift = compare(before, listed, defined());
    } catch (const Error &error) {
        drift.unknown = holder->text() + " did not list its secrets: " + error.fullText();
        return drift;
    }
    for (const Finding &finding : inWords(inspection.findings, path)) {
        if (finding.kind != Finding::Kind::definition)
            continue;
        const std::string name = finding.file.substr(finding.file.rfind('/') + 1);
        drift.unlisted.erase(name.substr(0, name.find('.')));
    }
    return drift;
}

std::vector<Finding> driftFindings(const Drift &drift, const Target &target,
                                   const std::optional<Holder> &holder) {
    std::vector<Finding> found;
    const auto say = [&](const std::set<std::string> &uuids, const std::string &text) {
        if (!uuids.empty())
            found.push_back({Finding::Kind::drift, target.paths.configDirectory,
                             "and " + holder->text() + " differ: " + std::to_string(uuids.size()) +
                                 text + *uuids.begin()});
    };
    say(drift.unlisted, " defined in files and not listed by it; reload it; such as ");
    say(drift.withoutFile, " listed by it without a file, and lost at its next reload or start; "
                           "put the files back; such as ");
    return found;
}

} // namespace keyhold::command
