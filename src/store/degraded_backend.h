// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/current.h"
#include "store/backend.h"

#include <memory>
#include <utility>

namespace keyhold {

/// Why a backend cannot be used in full, as it is known by now.
using CurrentFailure = Current<Error>;

/// Stands in while the real backend cannot be used in full, so that a daemon starts and serves what
/// is left. Whatever is missing raises the error that says why. What it reads, another process may
/// be changing.
class DegradedBackend : public Backend {
  public:
    /// `readable` answers what reads if it is not null; everything else raises `failure`.
    DegradedBackend(std::string place, std::unique_ptr<Backend> readable,
                    std::shared_ptr<const CurrentFailure> failure)
        : place_(std::move(place)),
          readable_(std::move(readable)),
          failure_(std::move(failure)) {}

    [[nodiscard]] std::string place() const override { return place_; }
    [[nodiscard]] std::string placeOf(const Uuid &uuid) const override {
        return readable().placeOf(uuid);
    }
    [[nodiscard]] std::string placeOf(const Uuid &uuid, ValueFormat format) const override {
        return readable().placeOf(uuid, format);
    }
    [[nodiscard]] RevisionKind revisionKind() const noexcept override {
        return RevisionKind::advisory;
    }
    [[nodiscard]] bool isReadOnly() const noexcept override { return true; }
    std::vector<ListedSecret> start() override { return list(Strays::told); }
    [[nodiscard]] std::vector<ListedSecret> list(Strays strays) override {
        return readable().list(strays);
    }
    [[nodiscard]] std::optional<StoredSecret> get(const ListedSecret &secret,
                                                  const ValueReader &reader) override {
        auto stored = readable().get(secret, reader);
        // A value that is given another form gets the new one before it loses the listed one.
        for (int again = 0; again < 2 && secret.forms != 0 && stored && !stored->value.isThere();
             ++again)
            stored = readable().get({secret.uuid, kAllForms}, reader);
        return stored;
    }
    [[nodiscard]] std::optional<StoredValue> getValue(const ListedSecret &secret,
                                                      const ValueReader &reader) override {
        return readable().getValue(secret, reader);
    }
    [[nodiscard]] Revision revisionOf(const ListedSecret &secret) override {
        return readable().revisionOf(secret);
    }
    Revision put(const Uuid &, const SecretChange &, std::optional<Revision>,
                 const FormerJudge &) override {
        throw failure_->get();
    }
    void erase(const Uuid &, Revision) override { throw failure_->get(); }

  private:
    [[nodiscard]] Backend &readable() const {
        if (!readable_)
            throw failure_->get();
        return *readable_;
    }

    std::string place_;
    std::unique_ptr<Backend> readable_;
    std::shared_ptr<const CurrentFailure> failure_;
};

} // namespace keyhold
