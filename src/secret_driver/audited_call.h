// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail.h"
#include "conf/secret_definition.h"
#include "conf/uuid.h"
#include "secret_driver/instance_trail.h"

#include <libvirt/libvirt.h>

#include <exception>
#include <memory>
#include <optional>

namespace keyhold {

/// The record of one call that is recorded: a value that is given out, a change, a refusal.
class CallRecord {
  public:
    /// `secret` is what the caller named, if it named one by its uuid.
    CallRecord(const InstanceTrail &trail, audit::Action action, virConnectPtr connection,
               std::optional<Uuid> secret);

    void asksFor(const Usage &usage);
    void concerns(const SecretDefinition &definition);
    void admitRelease();
    void admitChange();
    void noteSuccess() noexcept;
    void noteFailure(const std::exception &why) noexcept;

  private:
    [[nodiscard]] audit::Record record(audit::Outcome outcome) const;

    void admit(audit::Outcome outcome);
    void note(audit::Record record);

    const InstanceTrail &trail_; // which may become another one between two steps
    const audit::Action action_;
    const virConnectPtr connection_;
    std::optional<Uuid> secret_;
    std::optional<Usage> usage_;
    bool isKnown_ = false; // there is such a secret
    bool isAdmitted_ = false;
    audit::Admission admission_;
    std::shared_ptr<const audit::Trail> admittedBy_;
};

/// One call, and its record if calls are recorded; if they are not, each step is one branch.
class AuditedCall {
  public:
    /// `record` is null where calls are not recorded.
    explicit AuditedCall(CallRecord *record) noexcept : record_(record) {}

    /// What the caller named, if it was no uuid.
    void asksFor(const Usage &usage) {
        if (record_)
            record_->asksFor(usage);
    }
    /// What the call turned out to be about. The first time counts: a redefinition asks about the
    /// former definition as well.
    void concerns(const SecretDefinition &definition) {
        if (record_)
            record_->concerns(definition);
    }
    /// Records that a value is given out. Call before it is. Raises fileAccess if that cannot be
    /// recorded, and so must not be.
    void admitRelease() {
        if (record_)
            record_->admitRelease();
    }
    /// Records that a change is about to be made; once, however often it is tried. Raises as
    /// admitRelease().
    void admitChange() {
        if (record_)
            record_->admitChange();
    }
    /// Records that the change was made.
    void noteSuccess() noexcept {
        if (record_)
            record_->noteSuccess();
    }

  private:
    CallRecord *const record_;
};

/// Does the work of one call, which gets its AuditedCall; what it raises is recorded. `secret` is
/// what the caller named, if it named one by its uuid.
template <typename Work>
auto audited(const InstanceTrail &trail, audit::Action action, virConnectPtr connection,
             std::optional<Uuid> secret, const Work &work) {
    if (!trail.isRecorded()) {
        AuditedCall call(nullptr);
        return work(call);
    }
    CallRecord record(trail, action, connection, secret);
    AuditedCall call(&record);
    try {
        return work(call);
    } catch (const std::exception &why) {
        record.noteFailure(why);
        throw;
    }
}

} // namespace keyhold
