// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/target.h"

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <libvirt/libvirt.h>

/// libvirt's public API, as far as the command asks daemons by it.
namespace keyhold::command {

struct ConnectionCloser {
    void operator()(virConnect *connection) const noexcept { ::virConnectClose(connection); }
};
using Connection = std::unique_ptr<virConnect, ConnectionCloser>;

struct SecretReleaser {
    void operator()(virSecret *secret) const noexcept { ::virSecretFree(secret); }
};
using SecretHandle = std::unique_ptr<virSecret, SecretReleaser>;

struct DomainReleaser {
    void operator()(virDomain *domain) const noexcept { ::virDomainFree(domain); }
};
using DomainHandle = std::unique_ptr<virDomain, DomainReleaser>;

struct PoolReleaser {
    void operator()(virStoragePool *pool) const noexcept { ::virStoragePoolFree(pool); }
};
using PoolHandle = std::unique_ptr<virStoragePool, PoolReleaser>;

struct VolumeReleaser {
    void operator()(virStorageVol *volume) const noexcept { ::virStorageVolFree(volume); }
};
using VolumeHandle = std::unique_ptr<virStorageVol, VolumeReleaser>;

enum class Access {
    look,   ///< read-only, and starts no session daemon
    change, ///< and starts a session daemon if there is none, as any client does
};

/// Raises as raiseLibvirtError().
[[nodiscard]] Connection openConnection(const std::string &uri, Access access);

/// What `ask` gives, of a daemon that may never answer; empty if it does not within `patience`:
/// then its thread is left to itself. Raises what `ask` does.
template <typename Ask>
[[nodiscard]] auto within(std::chrono::seconds patience, Ask ask)
    -> std::optional<decltype(ask())> {
    // The future of std::async would wait for the end.
    std::packaged_task<decltype(ask())()> task(std::move(ask));
    auto answer = task.get_future();
    std::thread(std::move(task)).detach();
    if (answer.wait_for(patience) != std::future_status::ready)
        return std::nullopt;
    return answer.get();
}

/// Where the secrets of `target` are asked for: secret:///system, secret:///session, or
/// secret:///embed with its root.
[[nodiscard]] std::string secretUriOf(const Target &target);

/// Raises what libvirt said last in this thread, behind `what` and ": ": notFound where there is no
/// such thing, privateValue for a private secret, else configUnsupported.
[[noreturn]] void raiseLibvirtError(const std::string &what);

/// A text that a function of libvirt's hands over; empty for null.
[[nodiscard]] std::string takeText(char *text);

/// The objects that a function of libvirt's lists in an array of its own, each with its owner.
/// Raises as raiseLibvirtError() where `list(&array)` fails.
template <typename Owner, typename List>
[[nodiscard]] std::vector<Owner> takeObjects(const std::string &what, List list) {
    typename Owner::pointer *array = nullptr;
    const int count = list(&array);
    if (count < 0)
        raiseLibvirtError(what);
    const std::unique_ptr<typename Owner::pointer, void (*)(void *)> freed(array, std::free);
    std::vector<Owner> objects;
    objects.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        objects.emplace_back(array[i]);
    return objects;
}

} // namespace keyhold::command
