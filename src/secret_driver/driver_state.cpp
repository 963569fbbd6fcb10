// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/driver_state.h"

#include "abi/symbols.h"
#include "remote/access.h"
#include "remote/connection_uri.h"
#include "secret_driver/libvirt_admin_log.h"

#include <libvirt/virterror.h>

#include <chrono>
#include <cstddef>
#include <new>

namespace keyhold {

namespace {

// What a secret connection to an embedded root carries: a user's keeps its instance open; our own,
// which lives as long as the process, has none and only knows where to look.
using Handle = EmbeddedRoots::Opened;

const Handle &handleOf(virConnectPtr connection) {
    return *static_cast<const Handle *>(abi::connectionPrivateData(connection));
}

// Set while this thread opens one of our own connections.
thread_local EmbeddedRoot *openingOwn = nullptr;

virConnectPtr makeOwnConnection(EmbeddedRoot &root) {
    const std::string uri = connection_uri::forEmbeddedRoot(root.spelling());
    openingOwn = &root;
    const virConnectPtr connection = virConnectOpen(uri.c_str());
    openingOwn = nullptr;
    if (!connection) {
        virResetLastError(); // the user's open has succeeded
        libvirtAdminLog().warning("drivers of this process will not find the secrets in root " +
                                  inQuotes(root.spelling()) +
                                  " by themselves: a connection to it failed");
    }
    return connection;
}

std::shared_ptr<Instance> embeddedInstanceOf(const Handle &handle) {
    // The connection keeps it; threads would contend for one more count of references.
    if (handle.instance)
        return {std::shared_ptr<Instance>(), handle.instance.get()};
    if (auto instance = handle.root->current())
        return instance;
    throw Error(ErrorCode::internal, "the embedded secret driver with root " +
                                         inQuotes(handle.root->spelling()) +
                                         " is not open any more");
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

void DriverState::start(bool isPrivileged, bool isEmbedded, abi::InhibitCallback callback,
                        void *opaque) {
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
    std::shared_ptr<Instance> instance;
    try {
        process_.make();
        if (!isEmbedded)
            instance = std::make_shared<Instance>(
                isPrivileged ? InstancePaths::system() : InstancePaths::session(), *inhibitor);
    } catch (const LockedError &) {
        throw;
    } catch (const std::exception &exception) {
        if (isEmbedded)
            throw;
        // The daemon has other work to do; calls for secrets will say that nobody serves them.
        libvirtAdminLog().failure("the secret driver did not start: ", exception);
    }
    const MutexLock lock(mutex_);
    daemon_ = std::move(instance);
    mode_ = isEmbedded ? Mode::embedded : Mode::daemon;
    started_.notify_all();
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
        last->end();
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
        abi::setConnectionPrivateData(connection, new Handle{openingOwn, nullptr});
        return;
    }
    auto handle = std::make_unique<Handle>(roots.open(rootName));
    EmbeddedRoot &root = *handle->root;
    if (virConnectPtr own = root.ownConnection([&] { return makeOwnConnection(root); }))
        abi::symbols().virSetConnectSecret(own);
    abi::setConnectionPrivateData(connection, handle.release());
}

void DriverState::closeConnection(virConnectPtr connection) {
    delete static_cast<Handle *>(abi::connectionPrivateData(connection));
    abi::setConnectionPrivateData(connection, nullptr);
}

std::shared_ptr<Instance> DriverState::instanceOf(virConnectPtr connection) {
    if (mode_ == Mode::embedded && abi::connectionDriver(connection) == table_) {
        requireOwnProcess();
        return embeddedInstanceOf(handleOf(connection));
    }
    Snapshot now = snapshot();
    if (now.mode == Mode::daemon && now.daemon)
        return std::move(now.daemon);
    if (now.mode != Mode::embedded)
        raiseNotActive();
    return now.roots->find(connection_uri::embeddedRootOf(connection));
}

std::vector<std::shared_ptr<Events>> DriverState::watchedBy(virConnectPtr connection) {
    const Snapshot now = snapshot();
    if (now.mode == Mode::embedded) {
        if (abi::connectionDriver(connection) == table_)
            return {handleOf(connection).root->events()};
        auto events = now.roots->eventsFor(connection_uri::embeddedRootOf(connection));
        if (!events.empty())
            return events;
    }
    return {instanceOf(connection)->events()};
}

} // namespace keyhold
