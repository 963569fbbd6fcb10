// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"
#include "store/journal.h"
#include "store/layout.h"
#include "store/store_directory.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace keyhold {

/// Secrets as the stock driver keeps them: one directory, `<uuid>.xml` and `<uuid>.base64`.
/// The definition file is the commit point of a secret; docs/architecture.md, "On disk", has the
/// order of steps of each change and what a load makes of an interrupted one.
class DirectoryBackend : public Backend {
  public:
    /// The journal must outlive the backend. The caller holds the store's lock.
    DirectoryBackend(std::unique_ptr<StoreDirectory> directory, Journal &journal);

    [[nodiscard]] std::string place() const override { return directory_->path(); }
    void recover() override;
    [[nodiscard]] std::vector<Uuid> list() override;
    [[nodiscard]] std::optional<StoredSecret> read(const Uuid &uuid) override;
    Value create(const SecretDefinition &definition,
                 const std::span<const std::uint8_t> *value) override;
    [[nodiscard]] bool replaceDefinition(const SecretDefinition &definition) override;
    void replaceValue(const SecretDefinition &definition, std::span<const std::uint8_t> value,
                      bool keepOld) override;
    void removeValue(const Uuid &uuid, bool keepOld) override;
    void remove(const Uuid &uuid) override;

  private:
    [[nodiscard]] Value readValue(const Uuid &uuid);
    /// The value of a secret that is on disk in full but was never loaded, if `next` may redefine
    /// it; none for any other.
    [[nodiscard]] Value readUnloadedValue(const SecretDefinition &next);
    void writeDefinition(const Uuid &uuid, const std::string &text);
    void writeValueFile(const std::string &name, std::span<const std::uint8_t> value);
    /// The first name under which nothing has been put aside yet.
    [[nodiscard]] std::string freeAsideName(const Uuid &uuid) const;
    void tellAside(const Uuid &uuid, const std::string &aside, const char *reason);
    /// Takes back a definition that was committed but whose value could not follow.
    void takeBack(const Uuid &uuid, const std::string &awaiting, const Error &cause);
    void removeFiles(const Uuid &uuid);
    /// Removes a private name; one that resists is remembered and blocks its secret.
    void discard(const Uuid &uuid, const std::string &privateName);
    /// What is done with a former value once its removal is durable.
    void retire(const Uuid &uuid, const std::string &oldValue, bool keepOld);
    void rememberLeftover(const Uuid &uuid, const std::string &privateName, const Error &cause);
    /// Raises while a private name of this secret cannot be settled: a later load could take it for
    /// part of the change that is about to be made.
    void requireNoLeftovers(const Uuid &uuid);
    /// Gives a value of this secret that is under a private name its own, and answers the trouble
    /// if it must stay there.
    [[nodiscard]] std::optional<Error> settleValue(const Uuid &uuid);
    /// What every change asks first: would the next start find what is about to be written? Raises
    /// as requireNoLeftovers(), and internal if the path leads to another directory by now.
    void requireReady(const Uuid &uuid);
    [[nodiscard]] std::string movedText() const;
    [[nodiscard]] std::string orphanText(const Uuid &uuid) const;
    /// True if a load would make this private file the value of its secret.
    [[nodiscard]] bool isValueOfSecret(const layout::FileName &file) const;
    /// Makes of one private name what a load must make of it: part of the secret, or nothing.
    void recoverFile(const layout::FileName &file, const std::string &name);

    std::unique_ptr<StoreDirectory> directory_;
    Journal &journal_;
    std::mutex leftoversMutex_;
    std::multimap<Uuid, std::string> leftovers_;
    std::atomic<bool> hasLeftovers_{false};
    std::atomic<bool> mustSync_{false}; // names that a next change counts on are not durable yet
};

/// The text of a definition file. Raises configUnsupported if it is so large that a load would
/// refuse it; the limit is libxml2's for one text (10,000,000 bytes).
[[nodiscard]] std::string definitionFileText(const SecretDefinition &definition);

} // namespace keyhold
