// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"
#include "command/locked_store.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "directory/secret_inspection.h"
#include "store/barrier.h"

namespace keyhold::command {

namespace {

/// The value file that counts, for texts.
std::string fileOf(const StoreDirectory &directory, const SealingPolicy &policy, const Uuid &uuid) {
    const auto format = inspectSecret(directory, policy, uuid).format;
    return directory.pathOf(format ? layout::valueName(uuid, *format)
                                   : layout::definitionName(uuid));
}

} // namespace

void convertAlone(Conversion &conversion, FileSystem &fileSystem) {
    const LockedStore store(conversion.target, fileSystem);
    const StoreDirectory &directory = store.directory();
    const auto current = std::make_shared<CurrentPolicy>();
    current->set(conversion.policy);
    Barrier barrier(store.backend(), current);
    const std::vector<Uuid> reencryptable = inspect(directory, *conversion.policy).reencryptable;
    conversion.total = reencryptable.size();
    Progress progress(purposeName(conversion.purpose), reencryptable.size());
    std::size_t done = 0;
    for (const Uuid &uuid : reencryptable) {
        if (conversion.isStopped())
            return;
        try {
            barrier.reencrypt(uuid, nullptr);
        } catch (const Error &error) {
            conversion.failures.push_back({Finding::Kind::unchanged,
                                           fileOf(directory, *conversion.policy, uuid),
                                           "was not re-encrypted: " + error.fullText()});
        }
        progress.show(++done);
    }
}

} // namespace keyhold::command
