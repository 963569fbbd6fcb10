// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/bytes.h"
#include "conf/recording_admin_log.h"
#include "directory/directory_backend.h"
#include "os/memory_file_system.h"
#include "store/secret_store.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// Values at rest by these rules. Key n is 32 bytes of n; `sealing` is the key of new values, or 0
/// for plain ones, and the others only open.
[[nodiscard]] std::shared_ptr<const SealingPolicy>
policyWith(std::uint8_t sealing, const std::vector<std::uint8_t> &earlier = {},
           bool convertExisting = false);

/// What a client can see of a secret, for comparison.
struct SecretState {
    std::string xml;
    std::string value; ///< "none", "unreadable", or "=" and the bytes
    bool operator==(const SecretState &) const = default;
};
using StoreState = std::map<Uuid, SecretState>;

void PrintTo(const SecretState &state, std::ostream *out);

/// Stores on one disk, one after the other as processes would come.
class StoreBench {
  public:
    static constexpr const char *kDirectory = "/store";

    StoreBench();

    /// A new process: a store that has loaded what the disk holds.
    [[nodiscard]] std::unique_ptr<SecretStore> start();
    /// What a new process would see; leaves the disk as that process leaves it.
    [[nodiscard]] StoreState stateAfterStart();

    /// What a store works with, by itself.
    [[nodiscard]] std::unique_ptr<DirectoryBackend> openBackend();
    [[nodiscard]] std::unique_ptr<Barrier> openBarrier();

    [[nodiscard]] std::string path(const std::string &name) const;
    [[nodiscard]] std::vector<std::string> names() const { return disk.names(kDirectory); }
    /// As other people write a file, and see it.
    void put(const std::string &name, const std::string &content) {
        disk.putFile(path(name), content);
    }
    [[nodiscard]] std::optional<std::string> content(const std::string &name) const {
        return disk.content(path(name));
    }
    void remove(const std::string &name) { disk.removeAll(path(name)); }

    MemoryFileSystem disk;
    FileSystem *fileSystem = &disk; ///< what stores get: the disk, or a decorator of it
    DirectoryBackend::Clock clock = fileClock;
    RecordingAdminLog log;
    std::shared_ptr<CurrentPolicy> policy = std::make_shared<CurrentPolicy>();
};

[[nodiscard]] Uuid uuidNumber(int n);
[[nodiscard]] std::vector<Uuid> uuidsOf(const std::vector<ListedSecret> &secrets);
/// A persistent ceph secret whose id is `id`, if that is not empty.
[[nodiscard]] SecretDefinition definitionOf(int n, const std::string &id = {});
[[nodiscard]] SecretDefinition ephemeral(SecretDefinition definition);
[[nodiscard]] SecretDefinition described(SecretDefinition definition, const std::string &text);
/// A definition file's name and content, and the text of a value file.
[[nodiscard]] std::string xmlName(int n);
[[nodiscard]] std::string valueName(int n, ValueFormat form = ValueFormat::plain);
[[nodiscard]] std::string textOf(const SecretDefinition &definition);
[[nodiscard]] std::string base64(const std::string &value);
[[nodiscard]] StoreState stateOf(const SecretStore &store);
[[nodiscard]] SecretState stateOf(const Record &record);
[[nodiscard]] SecretState stateOf(const SecretStore &store, int n);
/// The changes since the last call: "defined 1 one", number and usage id of the secret.
[[nodiscard]] std::vector<std::string> takeChanges(SecretStore &store);
/// Allows everything.
void allow(const SecretDefinition &definition);

} // namespace keyhold
