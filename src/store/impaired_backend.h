// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"

#include <memory>

namespace keyhold {

/// Stands in while the real backend cannot be used in full, so that a daemon starts and serves what
/// is left. Whatever is missing raises the error that tells why.
class ImpairedBackend : public Backend {
  public:
    /// `readable` answers what reads if it is not null; everything else raises `trouble`.
    ImpairedBackend(std::string place, std::unique_ptr<Backend> readable, const Error &trouble)
        : place_(std::move(place)),
          readable_(std::move(readable)),
          trouble_(trouble) {}

    [[nodiscard]] std::string place() const override { return place_; }
    std::vector<ListedSecret> recover() override { return list(); }
    [[nodiscard]] std::vector<ListedSecret> list() override {
        if (!readable_)
            throw trouble_;
        return readable_->list();
    }
    using Backend::read;
    [[nodiscard]] std::optional<StoredSecret> read(const ListedSecret &secret) override {
        if (!readable_)
            throw trouble_;
        return readable_->read(secret);
    }
    [[nodiscard]] Fingerprint fingerprint(const ListedSecret &secret) override {
        return readable_ ? readable_->fingerprint(secret) : kUnknownFiles;
    }
    Value create(const SecretDefinition &, const std::span<const std::uint8_t> *) override {
        throw trouble_;
    }
    [[nodiscard]] bool replaceDefinition(const SecretDefinition &) override { throw trouble_; }
    void replaceValue(const SecretDefinition &, std::span<const std::uint8_t>) override {
        throw trouble_;
    }
    void removeValue(const Uuid &) override { throw trouble_; }
    [[nodiscard]] std::vector<Uuid> outdated() const override { return {}; }
    bool renewValue(const Uuid &) override { throw trouble_; }
    void remove(const Uuid &) override { throw trouble_; }

  private:
    std::string place_;
    std::unique_ptr<Backend> readable_;
    Error trouble_;
};

} // namespace keyhold
