// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/driver_state.h"

#include "abi/symbols.h"
#include "remote/access.h"
#include "remote/connection_uri.h"
#include "remote/error_report.h"
#include "secret_driver/libvirt_admin_log.h"

#include <libvirt/virterror.h>

#include <chrono>
#include <cstddef>
#include <new>
#include <variant>

namespace keyhold {

namespace {

// What a secret connection to an embedded root carries: a user's keeps its instance open; our own,
// which lives as long as the process, only knows where to look.
using Handle = std::variant<std::shared_ptr<Instance>, EmbeddedRoot *>;

// Set while this thread opens one of our own connections.
thread_local EmbeddedRoot *openingOwn = nullptr;

class OpeningOwn {
  public:
    explicit OpeningOwn(EmbeddedRoot &root) { openingOwn = &root; }
    ~OpeningOwn() { openingOwn = nullptr; }
    OpeningOwn(const OpeningOwn &) = delete;
    OpeningOwn &operator=(const OpeningOwn &) = delete;
};

virConnectPtr makeOwnConnection(EmbeddedRoot &root) {
    const std::string uri = connection_uri::forEmbeddedRoot(root.spelling());
    const OpeningOwn opening(root);
    const virConnectPtr connection = virConnectOpen(uri.c_str());
    if (!connection) {
        virResetLastError(); // the user's open has succeeded
        libvirtAdminLog().warning("drivers of this process will not find the secrets in root " +
                                  inQuotes(root.spelling()) +
                                  " by themselves: a connection to it failed");
    }
    return connection;
}

[[noreturn]] void raiseNotActive(SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::notActive, "secret state driver is not active", 0, place);
}

} // namespace

DriverState &DriverState::get() {
    alignas(DriverState) static std::byte place[sizeof(DriverState)]; // it takes no memory
    static auto *const state = new (place) DriverState;
    return *state;
}

DriverState::Snapshot DriverState::snapshot() {
    requireOwnProcess(); // before the lock, which another thread may have held at the fork
    const MutexLock lock(mutex_);
    return {mode_, isPrivileged_, daemon_, roots_ ? &*roots_ : nullptr};
}

void DriverState::requireOwnProcess() const {
    if (!process_.isOurs())
        throw Error(ErrorCode::internal, "secrets cannot be used in a forked copy of the process "
                                         "that opened them; use a process of its own");
}

DriverState::Snapshot DriverState::startedSnapshot() {
    // libvirt marks the state driver as initialized before it calls it, so a second thread that
    // opens an embedded root can arrive first. A process that never initializes must not hang,
    // though.
    constexpr auto kLongEnough = std::chrono::seconds(10);
    {
        MutexLock lock(mutex_);
        started_.wait_for(lock, kLongEnough, [this] { return mode_ != Mode::unset; });
    }
    return snapshot();
}

DriverState::Started DriverState::start(bool isPrivileged, bool isEmbedded,
                                        abi::InhibitCallback callback, void *opaque) {
    Inhibitor *inhibitor = nullptr;
    {
        const MutexLock lock(mutex_);
        if (!inhibitor_)
            inhibitor_.emplace(callback, opaque);
        inhibitor = &*inhibitor_;
        if (!roots_)
            roots_.emplace(*inhibitor);
        isPrivileged_ = isPrivileged;
    }
    if (isEmbedded) {
        process_.make();
        const MutexLock lock(mutex_);
        mode_ = Mode::embedded;
        started_.notify_all();
        return Started::complete;
    }

    std::shared_ptr<Instance> instance;
    try {
        process_.make();
        instance = std::make_shared<Instance>(
            isPrivileged ? InstancePaths::system() : InstancePaths::session(), *inhibitor);
    } catch (const LockedError &error) {
        reportError(error);
        return Started::refused;
    } catch (const std::exception &exception) {
        // The daemon has other work to do; calls for secrets will say that nobody serves them.
        libvirtAdminLog().failure("the secret driver did not start: ", exception);
    }
    const MutexLock lock(mutex_);
    daemon_ = std::move(instance);
    mode_ = Mode::daemon;
    started_.notify_all();
    return Started::complete;
}

void DriverState::reload() {
    const auto instance = snapshot().daemon;
    if (!instance)
        raiseNotActive();
    instance->reload();
}

void DriverState::stop() {
    std::shared_ptr<Instance> last;
    {
        const MutexLock lock(mutex_);
        if (mode_ != Mode::daemon && mode_ != Mode::embedded)
            raiseNotActive();
        mode_ = Mode::stopped;
        last.swap(daemon_);
    }
    // Others may keep the instance, and the process ends when this returns.
    if (last)
        last->stopThreads();
}

void DriverState::openConnection(virConnectPtr connection) {
    const Snapshot now =
        connection_uri::embeddedRootOf(connection) ? startedSnapshot() : snapshot();
    switch (now.mode) {
    case Mode::unset:
    case Mode::stopped:
        raiseNotActive();
    case Mode::daemon:
        connection_uri::requireDaemonPath(connection, now.isPrivileged);
        access::require(connection, &abi::Symbols::virConnectOpenEnsureACL);
        return;
    case Mode::embedded:
        return openEmbedded(connection, *now.roots);
    }
}

void DriverState::openEmbedded(virConnectPtr connection, EmbeddedRoots &roots) {
    const std::string rootName = connection_uri::requireEmbeddedRoot(connection);
    // A daemon without secrets of its own becomes an embedding process when its client asks for
    // this.
    if (access::isForClient())
        throw Error(ErrorCode::internal, "embedded secrets are not opened for clients of a daemon");
    access::require(connection, &abi::Symbols::virConnectOpenEnsureACL);
    if (openingOwn) {
        abi::setConnectionPrivateData(connection, new Handle(openingOwn));
        return;
    }
    EmbeddedRoots::Opened opened = roots.open(rootName);
    auto handle = std::make_unique<Handle>(std::move(opened.instance));
    if (virConnectPtr own =
            opened.root->ownConnection([&] { return makeOwnConnection(*opened.root); }))
        abi::symbols().virSetConnectSecret(own);
    abi::setConnectionPrivateData(connection, handle.release());
}

void DriverState::closeConnection(virConnectPtr connection) {
    delete static_cast<Handle *>(abi::connectionPrivateData(connection));
    abi::setConnectionPrivateData(connection, nullptr);
}

ServingInstance DriverState::instanceOf(virConnectPtr connection) {
    if (mode_ == Mode::embedded && abi::connectionDriver(connection) == table_) {
        requireOwnProcess();
        return embeddedInstanceOf(connection);
    }
    Snapshot now = snapshot();
    if (now.mode == Mode::daemon && now.daemon)
        return ServingInstance(std::move(now.daemon));
    if (now.mode != Mode::embedded)
        raiseNotActive();
    const auto root = connection_uri::embeddedRootOf(connection);
    return ServingInstance(now.roots->find(root ? &*root : nullptr));
}

ServingInstance DriverState::embeddedInstanceOf(virConnectPtr connection) {
    const auto &handle = *static_cast<const Handle *>(abi::connectionPrivateData(connection));
    if (const auto *instance = std::get_if<std::shared_ptr<Instance>>(&handle))
        return ServingInstance(**instance); // the connection keeps it
    EmbeddedRoot *root = std::get<EmbeddedRoot *>(handle);
    if (auto instance = root->current())
        return ServingInstance(std::move(instance));
    throw Error(ErrorCode::internal, "the embedded secret driver with root " +
                                         inQuotes(root->spelling()) + " is not open any more");
}

std::vector<std::shared_ptr<Events>> DriverState::watchedBy(virConnectPtr connection) {
    const Snapshot now = snapshot();
    if (now.mode == Mode::embedded && abi::connectionDriver(connection) != table_) {
        const auto root = connection_uri::embeddedRootOf(connection);
        auto events = now.roots->eventsFor(root ? &*root : nullptr);
        if (!events.empty())
            return events;
    }
    if (now.mode == Mode::embedded && abi::connectionDriver(connection) == table_) {
        const auto &handle = *static_cast<const Handle *>(abi::connectionPrivateData(connection));
        if (EmbeddedRoot *const *root = std::get_if<EmbeddedRoot *>(&handle))
            return {(*root)->events()};
    }
    return {instanceOf(connection)->events()};
}

} // namespace keyhold
