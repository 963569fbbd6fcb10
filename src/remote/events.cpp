// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/events.h"

#include "abi/symbols.h"
#include "conf/mutex.h"
#include "remote/error_report.h"

#include <cstddef>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace keyhold {

namespace {

int hostType(const Usage &usage) {
    return static_cast<int>(usage.type);
}

abi::Event *lifecycleEvent(const Uuid &uuid, const Usage &usage, int type) {
    return abi::symbols().virSecretEventLifecycleNew(uuid.bytes().data(), hostType(usage),
                                                     usage.id.c_str(), type, 0);
}

/// The callbacks of all Events of the process, by the ids under which connections know them. A
/// connection of another driver may be registered with the Events of several embedded roots.
class Registrations {
  public:
    using Key = std::pair<virConnectPtr, int>;
    struct Place {
        const Events *events = nullptr;
        int hostId = -1; ///< by which libvirt knows it there
    };
    using Node = std::map<Key, Place>::node_type;

    static Registrations &ofProcess() {
        alignas(Registrations) static std::byte place[sizeof(Registrations)]; // it takes no memory
        static auto *const registrations = new (place) Registrations;
        return *registrations;
    }

    /// Memory for one registration: with it, put() cannot fail.
    static Node makeNode() {
        std::map<Key, Place> one;
        return one.extract(one.try_emplace(Key{}).first);
    }

    /// Returns the id, which is libvirt's if the connection has no other registration of that id.
    int put(Node node, virConnectPtr connection, Place place) noexcept {
        const MutexLock lock(mutex_);
        int id = place.hostId;
        while (places_.contains({connection, id}))
            ++id;
        node.key() = {connection, id};
        node.mapped() = place;
        places_.insert(std::move(node));
        return id;
    }

    /// libvirt's id of what `connection` knows as `id`; none if that is not with `events`.
    [[nodiscard]] std::optional<int> hostIdOf(virConnectPtr connection, int id,
                                              const Events *events) const {
        const MutexLock lock(mutex_);
        const auto found = places_.find({connection, id});
        return found == places_.end() || found->second.events != events
                   ? std::nullopt
                   : std::optional(found->second.hostId);
    }

    /// Whether libvirt knows something as `hostId` that the connection does not know as that.
    [[nodiscard]] bool isOfAnother(virConnectPtr connection, int hostId,
                                   const Events *events) const {
        const MutexLock lock(mutex_);
        for (const auto &[key, place] : places_) {
            if (key.first == connection && place.events == events && place.hostId == hostId)
                return true;
        }
        return false;
    }

    void remove(virConnectPtr connection, int id) {
        const MutexLock lock(mutex_);
        places_.erase({connection, id});
    }

    void removeAll(const Events *events) {
        const MutexLock lock(mutex_);
        std::erase_if(places_, [&](const auto &each) { return each.second.events == events; });
    }

  private:
    mutable Mutex mutex_;
    std::map<Key, Place> places_ GUARDED_BY(mutex_);
};

} // namespace

Events::Events() : state_(abi::symbols().virObjectEventStateNew()) {
    if (!state_)
        throw Error(ErrorCode::noMemory, "");
}

Events::~Events() {
    Registrations::ofProcess().removeAll(this);
    abi::symbols().virObjectUnref(state_);
}

void Events::defined(const Uuid &uuid, const Usage &usage) {
    queue(lifecycleEvent(uuid, usage, VIR_SECRET_EVENT_DEFINED));
}

void Events::undefined(const Uuid &uuid, const Usage &usage) {
    queue(lifecycleEvent(uuid, usage, VIR_SECRET_EVENT_UNDEFINED));
}

void Events::valueChanged(const Uuid &uuid, const Usage &usage) {
    queue(abi::symbols().virSecretEventValueChangedNew(uuid.bytes().data(), hostType(usage),
                                                       usage.id.c_str()));
}

void Events::queue(abi::Event *event) {
    abi::symbols().virObjectEventStateQueue(state_, event);
}

int Events::add(virConnectPtr connection, virSecretPtr secret, int eventId,
                virConnectSecretEventGenericCallback callback, void *opaque,
                virFreeCallback freeCallback) {
    auto node = Registrations::makeNode(); // nothing may fail once libvirt has the callback
    auto &registrations = Registrations::ofProcess();
    int hostId = -1;
    if (abi::symbols().virSecretEventStateRegisterID(connection, state_, secret, eventId, callback,
                                                     opaque, freeCallback, &hostId) < 0)
        throw ErrorAlreadyRaised();
    return registrations.put(std::move(node), connection, {this, hostId});
}

void Events::remove(virConnectPtr connection, int callbackId) {
    auto &registrations = Registrations::ofProcess();
    const auto known = registrations.hostIdOf(connection, callbackId, this);
    if (!known && registrations.isOfAnother(connection, callbackId, this))
        throw Error(ErrorCode::invalidArgument,
                    "could not find event callback " + std::to_string(callbackId));
    // What is not known here libvirt refuses in its own words.
    if (abi::symbols().virObjectEventStateDeregisterID(connection, state_,
                                                       known.value_or(callbackId), true) < 0)
        throw ErrorAlreadyRaised();
    registrations.remove(connection, callbackId);
}

bool Events::has(virConnectPtr connection, int callbackId) const {
    return Registrations::ofProcess().hostIdOf(connection, callbackId, this).has_value();
}

} // namespace keyhold
