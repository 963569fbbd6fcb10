// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"
#include "conf/error.h"
#include "directory/directory_backend.h"
#include "directory/inspection.h"
#include "os/directory_lock.h"
#include "os/store_lock.h"
#include "store/barrier.h"

#include <unistd.h>

namespace keyhold::command {

namespace {

class TerminalLog : public AdminLog {
  public:
    void info(const std::string &text) override { tell(text); }
    void warning(const std::string &text) override { tell(text); }
    void error(const std::string &text) override { tell(text); }
};

/// Files that root made in the store of a user would be closed to that user. The system's daemon is
/// root, whoever owns its directory: deployment tools give it to users of theirs.
void requireOwner(const Target &target, const StoreDirectory &directory) {
    const uid_t owner = directory.status().owner;
    const bool isRoots = target.kind == Target::Kind::system && ::geteuid() == 0;
    if (owner != ::geteuid() && !isRoots)
        throw Error(ErrorCode::configUnsupported, inQuotes(directory.path()) + " belongs to user " +
                                                      std::to_string(owner) +
                                                      "; run the command as that user");
}

/// The value file that counts, for texts.
std::string fileOf(const StoreDirectory &directory, const Uuid &uuid) {
    for (const ValueFormat format : kValueFormats) {
        const std::string name = layout::valueName(uuid, format);
        if (directory.contains(name))
            return directory.pathOf(name);
    }
    return directory.pathOf(layout::definitionName(uuid));
}

} // namespace

void convertAlone(Conversion &conversion, FileSystem &fileSystem) {
    const InstancePaths &paths = conversion.target.paths;
    // Opened once: what is judged is what is written to.
    auto opened = std::make_unique<StoreDirectory>(fileSystem, paths.configDirectory);
    const StoreDirectory &directory = *opened; // lives as long as the backend
    requireOwner(conversion.target, directory);
    if (const int result = fileSystem.makePath(paths.stateDirectory); result < 0)
        throw Error(ErrorCode::systemCall, "cannot create " + inQuotes(paths.stateDirectory),
                    -result);
    TerminalLog log;
    const StoreLock lock(fileSystem, paths.stateDirectory);
    const DirectoryLock directoryLock(directory, retryFor(kLockPatience), log);

    const auto current = std::make_shared<CurrentPolicy>();
    current->set(conversion.policy);
    const auto backend = std::make_shared<DirectoryBackend>(std::move(opened), log);
    Barrier barrier(backend, current);
    backend->start();
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
            conversion.failures.push_back({Finding::Kind::unchanged, fileOf(directory, uuid),
                                           "was not re-encrypted: " + error.fullText()});
        }
        progress.show(++done);
    }
}

} // namespace keyhold::command
