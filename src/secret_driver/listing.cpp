// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"
#include "remote/error_report.h"
#include "secret_driver/caller_memory.h"
#include "secret_driver/calls.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace keyhold::calls {

namespace {

using abi::Symbols;

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

} // namespace

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

} // namespace keyhold::calls
