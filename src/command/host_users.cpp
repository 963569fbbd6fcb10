// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/host_users.h"

#include "command/connection.h"
#include "command/secret_service.h"
#include "conf/error.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include <libvirt/virterror.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

using Kind = SecretUser::Kind;

/// Whether the last call failed because the thing went, or there is no such thing or flag here.
bool isNothing() {
    const virError *const error = ::virGetLastError();
    return error && (error->code == VIR_ERR_NO_DOMAIN || error->code == VIR_ERR_NO_STORAGE_POOL ||
                     error->code == VIR_ERR_NO_STORAGE_VOL || error->code == VIR_ERR_NO_SUPPORT ||
                     error->code == VIR_ERR_INVALID_ARG);
}

class Look {
  public:
    explicit Look(const std::string &uri) : connection_(openConnection(uri, Access::look)) {
        view_.uri = uri;
    }

    HostView look() {
        lookAtSecrets();
        lookAtDomains();
        lookAtPools();
        return std::move(view_);
    }

  private:
    template <typename Owner, typename List>
    std::vector<Owner> listed(const char *what, List list) {
        ::virResetLastError();
        try {
            return takeObjects<Owner>(
                "cannot list the " + std::string(what) + " of " + inQuotes(view_.uri), list);
        } catch (const Error &) {
            if (isNothing())
                return {};
            throw;
        }
    }

    void lookAtSecrets() {
        const auto secrets = listed<SecretHandle>("secrets", [&](virSecretPtr **array) {
            return ::virConnectListAllSecrets(connection_.get(), array, 0);
        });
        for (const SecretHandle &secret : secrets)
            view_.secrets.push_back({uuidOf(secret.get()), usageOf(secret.get())});
    }

    void lookAtDomains() {
        const auto domains = listed<DomainHandle>("domains", [&](virDomainPtr **array) {
            return ::virConnectListAllDomains(connection_.get(), array, 0);
        });
        for (const DomainHandle &domain : domains) {
            const std::string name = ::virDomainGetName(domain.get());
            const auto add = [&](unsigned flags, bool isLive) {
                addFrom(Kind::domain, name, takeText(::virDomainGetXMLDesc(domain.get(), flags)),
                        isLive);
            };
            if (::virDomainIsActive(domain.get()) == 1)
                add(0, true);
            if (::virDomainIsPersistent(domain.get()) == 1)
                add(VIR_DOMAIN_XML_INACTIVE, false);
        }
    }

    void lookAtPools() {
        const auto pools = listed<PoolHandle>("storage pools", [&](virStoragePoolPtr **array) {
            return ::virConnectListAllStoragePools(connection_.get(), array, 0);
        });
        for (const PoolHandle &pool : pools) {
            const std::string name = ::virStoragePoolGetName(pool.get());
            const auto add = [&](unsigned flags, bool isLive) {
                addFrom(Kind::pool, name, takeText(::virStoragePoolGetXMLDesc(pool.get(), flags)),
                        isLive);
            };
            const bool isActive = ::virStoragePoolIsActive(pool.get()) == 1;
            if (isActive)
                add(0, true);
            if (::virStoragePoolIsPersistent(pool.get()) == 1)
                add(isActive ? VIR_STORAGE_XML_INACTIVE : 0, false);
            if (isActive)
                lookAtVolumes(pool.get(), name);
        }
    }

    void lookAtVolumes(virStoragePool *pool, const std::string &poolName) {
        const auto volumes = listed<VolumeHandle>("volumes", [&](virStorageVolPtr **array) {
            return ::virStoragePoolListAllVolumes(pool, array, 0);
        });
        for (const VolumeHandle &volume : volumes)
            addFrom(Kind::volume, poolName + "/" + ::virStorageVolGetName(volume.get()),
                    takeText(::virStorageVolGetXMLDesc(volume.get(), 0)), true);
    }

    void addFrom(Kind kind, const std::string &name, const std::string &xml, bool isLive) {
        if (xml.empty()) {
            if (isNothing())
                return;
            raiseLibvirtError("cannot read the definition of " + inQuotes(name));
        }
        for (SecretReference &reference : secretReferencesIn(xml)) {
            SecretUser user{kind, name, std::move(reference), isLive, !isLive};
            const auto same = std::find_if(
                view_.users.begin() + static_cast<std::ptrdiff_t>(firstOf(kind, name)),
                view_.users.end(), [&](const SecretUser &each) { return each.isSameAs(user); });
            if (same == view_.users.end())
                view_.users.push_back(std::move(user));
            else
                (isLive ? same->isLive : same->isDefined) = true;
        }
    }

    /// Of the users, the first of this one: they come one after the other.
    [[nodiscard]] std::size_t firstOf(Kind kind, const std::string &name) const {
        std::size_t at = view_.users.size();
        while (at > 0 && view_.users[at - 1].kind == kind && view_.users[at - 1].name == name)
            --at;
        return at;
    }

    const Connection connection_;
    HostView view_;
};

} // namespace

HostView lookAtHost(const std::string &uri) {
    return Look(uri).look();
}

std::vector<UsedSecret> usedSecrets(const HostView &view, const std::optional<SecretName> &only) {
    std::vector<UsedSecret> used;
    std::unordered_map<Uuid, std::size_t, UuidHash> byUuid;
    std::unordered_map<Usage, std::size_t, UsageHash> byUsage;
    for (const KnownSecret &secret : view.secrets) {
        byUuid.emplace(secret.uuid, used.size());
        if (secret.usage.type != UsageType::none)
            byUsage.emplace(secret.usage, used.size());
        used.push_back({{secret.uuid, {}}, secret.usage, false, {}});
    }
    for (const SecretUser &user : view.users) {
        const SecretReference &to = user.reference;
        const std::size_t next = used.size();
        const std::size_t at = to.uuid ? byUuid.emplace(*to.uuid, next).first->second
                                       : byUsage.emplace(to.usage, next).first->second;
        if (at == next)
            used.push_back({{to.uuid, to.usage}, to.usage, true, {}});
        used[at].users.push_back(user);
    }
    std::erase_if(used, [&](const UsedSecret &each) {
        const Uuid none;
        return only ? !only->isOf(each.name.uuid.value_or(none), each.usage) : each.users.empty();
    });
    std::ranges::stable_sort(used, [](const UsedSecret &a, const UsedSecret &b) {
        return std::forward_as_tuple(b.isMissing, a.usage.type, a.usage.id) <
               std::forward_as_tuple(a.isMissing, b.usage.type, b.usage.id);
    });
    return used;
}

std::vector<std::string> connectionsFor(const TargetChoice &choice,
                                        const std::vector<std::string> &named) {
    if (!named.empty())
        return named;
    const Target target = chooseSettings(choice);
    if (target.kind == Target::Kind::embedded)
        throw Error(ErrorCode::invalidArgument,
                    "nobody can be asked what uses the secrets of an embedded root; name a "
                    "connection with --connect");
    return {std::string("qemu:///") + target.name()};
}

namespace {

const char *kindName(Kind kind) {
    switch (kind) {
    case Kind::domain:
        return "domain";
    case Kind::pool:
        return "pool";
    case Kind::volume:
        return "volume";
    }
    return "";
}

} // namespace

std::string textOf(const SecretUser &user) {
    std::string text = std::string(kindName(user.kind)) + " " + inQuotes(user.name);
    if (user.reference.where != kindName(user.kind))
        text += ", " + user.reference.where;
    if (user.kind == Kind::volume)
        return text;
    const char *const live = user.kind == Kind::domain ? "running" : "active";
    text += std::string(" (") + (user.isLive ? live : "defined");
    return text + (user.isLive && !user.isDefined ? ", not after its end)" : ")");
}

Json jsonOf(const SecretUser &user) {
    return {{"kind", kindName(user.kind)},   {"name", user.name},
            {"where", user.reference.where}, {"by", user.reference.uuid ? "uuid" : "usage"},
            {"live", user.isLive},           {"defined", user.isDefined}};
}

} // namespace keyhold::command
