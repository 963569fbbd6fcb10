// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"

#include <memory>
#include <mutex>
#include <utility>

namespace keyhold {

/// Why a backend cannot be used in full, as it is known by now. Safe for concurrent use.
class CurrentTrouble {
  public:
    explicit CurrentTrouble(Error trouble) : trouble_(std::move(trouble)) {}

    [[nodiscard]] Error get() const {
        const std::lock_guard lock(mutex_);
        return trouble_;
    }
    void set(Error trouble) {
        const std::lock_guard lock(mutex_);
        trouble_ = std::move(trouble);
    }

  private:
    mutable std::mutex mutex_;
    Error trouble_;
};

/// Stands in while the real backend cannot be used in full, so that a daemon starts and serves what
/// is left. Whatever is missing raises the error that tells why. What it reads, another process may
/// be changing.
class DegradedBackend : public Backend {
  public:
    /// `readable` answers what reads if it is not null; everything else raises `trouble`.
    DegradedBackend(std::string place, std::unique_ptr<Backend> readable,
                    std::shared_ptr<const CurrentTrouble> trouble)
        : place_(std::move(place)),
          readable_(std::move(readable)),
          trouble_(std::move(trouble)) {}

    [[nodiscard]] std::string place() const override { return place_; }
    std::vector<ListedSecret> recover() override { return list(); }
    [[nodiscard]] std::vector<ListedSecret> list() override {
        if (!readable_)
            throw trouble_->get();
        return readable_->list();
    }
    using Backend::read;
    [[nodiscard]] std::optional<StoredSecret> read(const ListedSecret &secret) override {
        if (!readable_)
            throw trouble_->get();
        auto stored = readable_->read(secret);
        // A value that is given another form gets the new one before it loses the listed one.
        for (int again = 0; again < 2 && secret.forms != 0 && stored && stored->value.isNone();
             ++again)
            stored = readable_->read(secret.uuid);
        return stored;
    }
    [[nodiscard]] Revision fingerprint(const ListedSecret &secret) override {
        return readable_ ? readable_->fingerprint(secret) : kUnknownRevision;
    }
    Value create(const SecretDefinition &, const std::span<const std::uint8_t> *) override {
        throw trouble_->get();
    }
    [[nodiscard]] bool replaceDefinition(const SecretDefinition &) override {
        throw trouble_->get();
    }
    void replaceValue(const SecretDefinition &, std::span<const std::uint8_t>) override {
        throw trouble_->get();
    }
    void removeValue(const Uuid &) override { throw trouble_->get(); }
    [[nodiscard]] std::vector<Uuid> reencryptable() const override { return {}; }
    bool reencryptValue(const Uuid &) override { throw trouble_->get(); }
    void remove(const Uuid &) override { throw trouble_->get(); }

  private:
    std::string place_;
    std::unique_ptr<Backend> readable_;
    std::shared_ptr<const CurrentTrouble> trouble_;
};

} // namespace keyhold
