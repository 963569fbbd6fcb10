// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/calls.h"

#include "abi/symbols.h"
#include "conf/secret_xml.h"
#include "remote/error_report.h"
#include "secret_driver/call_log.h"
#include "secret_driver/caller_memory.h"

#include <algorithm>
#include <cstdlib>

#include <sys/utsname.h>

namespace keyhold {

/// Decides who gets a value: the one maker of ReleaseToken. Who has been asked about access, has
/// one of these, and its release is recorded before the token is there.
class ReleaseGate {
  public:
    /// Raises privateValue, or that access was refused.
    ReleaseGate(virConnectPtr connection, const SecretDefinition &definition)
        : uuid_(definition.uuid) {
        access::require(connection, &abi::Symbols::virSecretGetValueEnsureACL, definition);
        if (definition.isPrivate && !access::mayReadPrivate())
            throw Error(ErrorCode::privateValue, "secret is private");
    }
    /// Raises audit::UnavailableError.
    [[nodiscard]] ReleaseToken grant(AuditedCall &call) const {
        call.admitRelease();
        return ReleaseToken(uuid_);
    }

  private:
    const Uuid uuid_;
};

namespace calls {

namespace {

using abi::Symbols;

SecretStore::AccessCheck checkFor(AuditedCall &call, virConnectPtr connection,
                                  access::SecretCheck check) {
    return [&call, connection, check](const SecretDefinition &definition) {
        call.concerns(definition);
        access::require(connection, check, definition);
        call.admitChange();
    };
}

/// A handle as clients hold it. Raises ErrorAlreadyRaised.
virSecretPtr handleFor(virConnectPtr connection, const SecretDefinition &definition) {
    const virSecretPtr handle = abi::symbols().virGetSecret(
        connection, definition.uuid.bytes().data(), static_cast<int>(definition.usage.type),
        definition.usage.id.c_str());
    if (!handle)
        throw ErrorAlreadyRaised();
    return handle;
}

// Each pair of filters narrows only if exactly one of it is set.
bool passes(unsigned int flags, unsigned int yes, unsigned int no, bool property) {
    const unsigned int wanted = flags & (yes | no);
    return wanted == 0 || (property ? wanted & yes : wanted & no) != 0;
}

bool matches(const SecretDefinition &definition, unsigned int flags) {
    return passes(flags, VIR_CONNECT_LIST_SECRETS_EPHEMERAL, VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL,
                  definition.isEphemeral) &&
           passes(flags, VIR_CONNECT_LIST_SECRETS_PRIVATE, VIR_CONNECT_LIST_SECRETS_NO_PRIVATE,
                  definition.isPrivate);
}

bool isListed(virConnectPtr connection, access::ListCheck check, const SecretDefinition &definition,
              unsigned int flags) {
    return matches(definition, flags) && access::isVisible(connection, check, definition);
}

int countOf(Instance &instance, virConnectPtr connection, access::ListCheck check,
            unsigned int flags) {
    int count = 0;
    for (const RecordPtr &record : instance.store().all())
        count += isListed(connection, check, record->definition, flags) ? 1 : 0;
    return count;
}

// Does a change and notifies its watchers. One that was refused has changed nothing, and
// telling could overwrite the error that libvirt has set.
template <typename Work>
void announcing(Instance &instance, AuditedCall &call, const Work &work) {
    try {
        instance.prepareChange();
        work();
        call.noteSuccess();
    } catch (const ErrorAlreadyRaised &) {
        throw;
    } catch (...) {
        instance.announce();
        throw;
    }
    instance.announce();
}

/// An operator may read the text on another host, as that of a migration. Empty if unknown.
std::string onThisHost() {
    utsname names;
    return ::uname(&names) == 0 ? " on host " + inQuotes(names.nodename) : std::string();
}

} // namespace

Uuid uuidOf(const unsigned char *uuid) {
    return Uuid(std::span<const std::uint8_t, Uuid::kSize>(uuid, Uuid::kSize));
}

Uuid uuidOf(virSecretPtr secret) {
    return uuidOf(abi::secretUuid(secret));
}

int count(Instance &instance, virConnectPtr connection) {
    access::require(connection, &Symbols::virConnectNumOfSecretsEnsureACL);
    return countOf(instance, connection, &Symbols::virConnectNumOfSecretsCheckACL, 0);
}

int listUuids(Instance &instance, virConnectPtr connection, char **uuids, int maxUuids) {
    std::fill_n(uuids, maxUuids, nullptr);
    access::require(connection, &Symbols::virConnectListSecretsEnsureACL);
    int listed = 0;
    try {
        for (const RecordPtr &record : instance.store().all()) {
            if (listed == maxUuids)
                break;
            if (!access::isVisible(connection, &Symbols::virConnectListSecretsCheckACL,
                                   record->definition))
                continue;
            uuids[listed] = copyForCaller(record->definition.uuid.toString()).release();
            ++listed;
        }
    } catch (...) {
        std::for_each_n(uuids, listed, std::free);
        std::fill_n(uuids, listed, nullptr);
        throw;
    }
    return listed;
}

int listAll(Instance &instance, virConnectPtr connection, virSecretPtr **secrets,
            unsigned int flags) {
    access::require(connection, &Symbols::virConnectListAllSecretsEnsureACL);
    if (!secrets)
        return countOf(instance, connection, &Symbols::virConnectListAllSecretsCheckACL, flags);

    const RecordSnapshot records = instance.store().all();
    auto handles = allocateForCaller<virSecretPtr>(records.size() + 1);
    std::size_t made = 0;
    try {
        for (const RecordPtr &record : records) {
            if (isListed(connection, &Symbols::virConnectListAllSecretsCheckACL, record->definition,
                         flags)) {
                handles[made] = handleFor(connection, record->definition);
                ++made;
            }
        }
    } catch (...) {
        std::for_each_n(handles.get(), made, abi::symbols().virObjectUnref);
        throw;
    }
    *secrets = handles.release();
    return static_cast<int>(made);
}

void deregister(const std::vector<std::shared_ptr<Events>> &watched, virConnectPtr connection,
                int callbackId) {
    const auto registered = std::ranges::find_if(
        watched, [&](const auto &events) { return events->has(connection, callbackId); });
    // Where nobody has it, the first one raises what libvirt says of that.
    (registered == watched.end() ? watched.front() : *registered)->remove(connection, callbackId);
}

virSecretPtr lookupByUuid(Instance &instance, AuditedCall &call, virConnectPtr connection,
                          const unsigned char *uuid) {
    const RecordPtr record = instance.store().get(uuidOf(uuid));
    call.concerns(record->definition);
    access::require(connection, &Symbols::virSecretLookupByUUIDEnsureACL, record->definition);
    return handleFor(connection, record->definition);
}

virSecretPtr lookupByUsage(Instance &instance, AuditedCall &call, virConnectPtr connection,
                           int usageType, const char *usageId) {
    const Usage usage{static_cast<UsageType>(usageType), usageId};
    call.asksFor(usage);
    const RecordPtr record = instance.store().get(usage);
    call.concerns(record->definition);
    access::require(connection, &Symbols::virSecretLookupByUsageEnsureACL, record->definition);
    return handleFor(connection, record->definition);
}

virSecretPtr define(Instance &instance, AuditedCall &call, virConnectPtr connection,
                    const SecretDefinition &definition) {
    call.concerns(definition);
    RecordPtr record;
    announcing(instance, call, [&] {
        record = instance.store().define(
            definition, checkFor(call, connection, &Symbols::virSecretDefineXMLEnsureACL));
    });
    noteCall(record->definition.uuid, "defined");
    return handleFor(connection, record->definition);
}

void undefine(Instance &instance, AuditedCall &call, virSecretPtr secret) {
    announcing(instance, call, [&] {
        instance.store().undefine(uuidOf(secret), checkFor(call, abi::secretConnection(secret),
                                                           &Symbols::virSecretUndefineEnsureACL));
    });
    noteCall(uuidOf(secret), "undefined");
}

char *xmlOf(Instance &instance, AuditedCall &call, virSecretPtr secret) {
    const RecordPtr record = instance.store().get(uuidOf(secret));
    call.concerns(record->definition);
    access::require(abi::secretConnection(secret), &Symbols::virSecretGetXMLDescEnsureACL,
                    record->definition);
    return copyForCaller(formatSecretXml(record->definition)).release();
}

void setValue(Instance &instance, AuditedCall &call, virSecretPtr secret,
              std::span<const std::uint8_t> value) {
    announcing(instance, call, [&] {
        instance.store().setValue(
            uuidOf(secret), value,
            checkFor(call, abi::secretConnection(secret), &Symbols::virSecretSetValueEnsureACL));
    });
    noteCall(uuidOf(secret), value.empty() ? "emptied" : "given a value");
}

unsigned char *valueOf(Instance &instance, AuditedCall &call, virSecretPtr secret,
                       std::size_t &size) {
    const RecordPtr record = instance.store().get(uuidOf(secret));
    const Uuid &uuid = record->definition.uuid;
    call.concerns(record->definition);
    const ReleaseGate gate(abi::secretConnection(secret), record->definition);
    if (record->value.isUnreadable())
        throw Error(record->value.reason().code(),
                    "value of secret " + inQuotes(uuid.toString()) + " is unreadable" +
                        onThisHost() + ": " + record->value.reason().message(),
                    0, record->value.reason().place());
    const ShieldedValue *shielded = record->value.shielded();
    if (!shielded)
        throw Error(ErrorCode::notFound,
                    "secret " + inQuotes(uuid.toString()) + " does not have a value");

    auto out = allocateForCaller<unsigned char>(shielded->size());
    const ReleaseToken token = gate.grant(call);
    shielded->release(token, {out.get(), shielded->size()});
    size = shielded->size();
    noteCall(uuid, "read");
    return out.release();
}

} // namespace calls

} // namespace keyhold
