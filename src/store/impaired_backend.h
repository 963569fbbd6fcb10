// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"

#include <memory>

namespace keyhold {

/// Stands in while the real backend cannot be used in full, so that a daemon starts and serves what
/// is left. Whatever is missing raises the error that tells why.
class ImpairedBackend : public Backend {
  public:
    /// `readable` answers list() and read() if it is not null; everything else raises `trouble`.
    ImpairedBackend(std::string place, std::unique_ptr<Backend> readable, const Error &trouble)
        : place_(std::move(place)),
          readable_(std::move(readable)),
          trouble_(trouble) {}

    [[nodiscard]] std::string place() const override { return place_; }
    void recover() override {}
    [[nodiscard]] std::vector<Uuid> list() override {
        if (!readable_)
            throw trouble_;
        return readable_->list();
    }
    [[nodiscard]] std::optional<StoredSecret> read(const Uuid &uuid) override {
        if (!readable_)
            throw trouble_;
        return readable_->read(uuid);
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
