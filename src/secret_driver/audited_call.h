// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail.h"
#include "conf/secret_definition.h"
#include "conf/uuid.h"

#include <libvirt/libvirt.h>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace keyhold {

/// The record of one call, where calls are recorded: every value that is given out, every change,
/// every refusal.
class AuditedCall {
  public:
    /// `trail` is null where calls are not recorded. `secret` is what the caller named, if it named
    /// one by its uuid.
    AuditedCall(std::shared_ptr<audit::Trail> trail, audit::Action action, virConnectPtr connection,
                std::optional<Uuid> secret = {});

    /// What the caller named, if it was no uuid.
    void asksFor(const Usage &usage);
    /// What the call turned out to be about. The first time counts: a redefinition asks about the
    /// former definition as well.
    void concerns(const SecretDefinition &definition);
    /// Records that a value is given out. Call before it is. Raises fileAccess if that cannot be
    /// recorded, and so must not be.
    void admitRelease();
    /// Records that a change is about to be made; once, however often it is tried. Raises as
    /// admitRelease().
    void admitChange();
    /// Records that the change was made.
    void noteSuccess() noexcept;
    /// Records that the call fails, and why.
    void noteFailure(const std::exception &why) noexcept;

  private:
    [[nodiscard]] audit::Record record(audit::Outcome outcome) const;

    const std::shared_ptr<audit::Trail> trail_;
    const audit::Action action_;
    const virConnectPtr connection_;
    std::optional<Uuid> secret_;
    std::optional<Usage> usage_;
    bool isKnown_ = false; // there is such a secret
    bool isAdmitted_ = false;
    std::optional<std::uint64_t> intent_;
};

/// Does the work of one call, which gets its AuditedCall; what it raises is recorded.
template <typename Work>
auto audited(AuditedCall call, const Work &work) {
    try {
        return work(call);
    } catch (const std::exception &why) {
        call.noteFailure(why);
        throw;
    }
}

} // namespace keyhold
