// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace keyhold {

/// What the backends of several hosts share: secrets with one counter of all changes.
class MemoryStorage {
  public:
    struct Value {
        ValueFormat format;
        std::string bytes;
    };
    struct Secret {
        SecretDefinition definition;
        std::optional<Value> value;
        std::uint64_t revision;
    };
    struct Change {
        std::uint64_t revision;
        Uuid uuid;
        const void *by; ///< the backend that made it
    };

    std::mutex mutex; ///< of all below
    std::condition_variable_any changed;
    std::map<Uuid, Secret> secrets;
    std::vector<Change> changes;
    std::vector<std::string> kept; ///< former values that were not to go
    bool isFailing = false;
};

/// A backend as those on a network are: exact revisions, conflicts, and a watch for what others
/// change.
class MemoryBackend : public Backend {
  public:
    explicit MemoryBackend(std::shared_ptr<MemoryStorage> storage) : storage_(std::move(storage)) {}
    ~MemoryBackend() override { watch(nullptr); }

    /// Called before each change with nothing held: what others do at the last moment.
    std::function<void()> beforeChange;
    /// Returns when the watcher, which there must be, knows all that others have changed.
    void awaitWatcher();

    [[nodiscard]] std::string place() const override { return "memory"; }
    [[nodiscard]] std::string placeOf(const Uuid &uuid) const override {
        return place() + "/" + uuid.toString();
    }
    [[nodiscard]] std::string placeOf(const Uuid &uuid, ValueFormat format) const override {
        return "memory:" + uuid.toString() + "." + std::string(valueFormatName(format));
    }
    [[nodiscard]] RevisionKind revisionKind() const noexcept override {
        return RevisionKind::exact;
    }
    std::vector<ListedSecret> start() override { return list(Strays::told); }
    [[nodiscard]] std::vector<ListedSecret> list(Strays strays) override;
    [[nodiscard]] std::optional<StoredSecret> get(const ListedSecret &secret,
                                                  const ValueReader &reader) override;
    [[nodiscard]] std::optional<StoredValue> getValue(const ListedSecret &secret,
                                                      const ValueReader &reader) override;
    [[nodiscard]] Revision revisionOf(const ListedSecret &secret) override;
    Revision put(const Uuid &uuid, const SecretChange &change, std::optional<Revision> seen,
                 const FormerJudge &judge) override;
    void erase(const Uuid &uuid, Revision seen) override;
    void watch(const std::function<void(const Uuid &uuid)> &changed) override;

  private:
    using Secrets = std::map<Uuid, MemoryStorage::Secret>;

    /// The secret to be changed, or the end; raises ConflictError if it is not as seen.
    [[nodiscard]] Secrets::iterator find(const Uuid &uuid, std::optional<Revision> seen) const;
    void retire(MemoryStorage::Secret &secret, const FormerJudge &judge) const;
    Revision note(const Uuid &uuid);
    void run(const std::stop_token &stop, const std::function<void(const Uuid &uuid)> &changed);

    const std::shared_ptr<MemoryStorage> storage_;
    std::uint64_t known_ = 0; ///< revision up to which changes are known; under the storage's mutex
    std::jthread watcher_;
};

} // namespace keyhold
