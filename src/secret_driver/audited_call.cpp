// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/audited_call.h"

#include "remote/caller.h"
#include "remote/connection_uri.h"
#include "remote/error_report.h"
#include "secret_driver/libvirt_admin_log.h"

#include <libvirt/virterror.h>

namespace keyhold {

namespace {

/// Texts of libxml2 quote the document, and so a description.
bool quotesDocument(ErrorCode code) noexcept {
    return code == ErrorCode::xmlMalformed || code == ErrorCode::xmlSchemaMismatch ||
           code == ErrorCode::xmlInvalid || code == ErrorCode::xmlAttributeInvalid ||
           code == ErrorCode::xmlRootUnexpected;
}

const char *reasonOf(ErrorCode code, bool isWithoutValue) noexcept {
    switch (code) {
    case ErrorCode::privateValue:
        return "private";
    case ErrorCode::notFound:
        return isWithoutValue ? "no-value" : "not-found";
    case ErrorCode::valueUnreadable:
        return "unreadable";
    case ErrorCode::invalidEncryptionKey:
        return "missing-key";
    case ErrorCode::invalidArgument:
    case ErrorCode::internal:
    case ErrorCode::configUnsupported:
    case ErrorCode::xmlInvalid:
    case ErrorCode::xmlAttributeInvalid:
    case ErrorCode::xmlRootUnexpected:
    case ErrorCode::xmlMalformed:
    case ErrorCode::xmlSchemaMismatch:
    case ErrorCode::xmlSchemaUnusable:
    case ErrorCode::fileAccess:
    case ErrorCode::systemCall:
    case ErrorCode::noMemory:
    case ErrorCode::notActive:
        break;
    }
    return "error";
}

} // namespace

CallRecord::CallRecord(const InstanceTrail &trail, audit::Action action, virConnectPtr connection,
                       std::optional<Uuid> secret)
    : trail_(trail),
      action_(action),
      connection_(connection),
      secret_(secret) {}

audit::Record CallRecord::record(audit::Outcome outcome) const {
    audit::Record record;
    record.action = action_;
    record.outcome = outcome;
    record.time = audit::now();
    record.isCall = true;
    record.caller = caller::current();
    record.job = caller::job();
    record.connection = connection_uri::shown(connection_);
    record.secret = secret_;
    record.usage = usage_;
    return record;
}

void CallRecord::admit(audit::Outcome outcome) {
    audit::Record made = record(outcome); // with no lock held: it asks libvirt
    trail_.with([&](const std::shared_ptr<audit::Trail> &trail) {
        if (!trail)
            return;
        admission_ = trail->admit(std::move(made));
        admittedBy_ = trail;
    });
}

void CallRecord::note(audit::Record record) {
    trail_.with([&](const std::shared_ptr<audit::Trail> &trail) {
        // In another file, the sequence would be that of another record.
        if (trail)
            trail->note(std::move(record), trail == admittedBy_ ? admission_ : audit::Admission());
    });
}

void CallRecord::asksFor(const Usage &usage) {
    usage_ = usage;
}

void CallRecord::concerns(const SecretDefinition &definition) {
    if (isKnown_)
        return;
    secret_ = definition.uuid;
    usage_ = definition.usage;
    isKnown_ = true;
}

void CallRecord::admitRelease() {
    admit(audit::Outcome::success);
}

void CallRecord::admitChange() {
    if (isAdmitted_)
        return;
    admit(audit::Outcome::unknown);
    isAdmitted_ = true;
}

void CallRecord::noteSuccess() noexcept {
    try {
        note(record(audit::Outcome::success));
    } catch (const std::exception &exception) {
        libvirtAdminLog().failure("an audit record was not made: ", exception);
    }
}

void CallRecord::noteFailure(const std::exception &why) noexcept {
    const auto *const unavailable = dynamic_cast<const audit::UnavailableError *>(&why);
    if (unavailable && unavailable->isRecorded())
        return;
    try {
        audit::Record failed = record(audit::Outcome::failure);
        if (unavailable) {
            failed.reason = audit::kUnavailable;
        } else if (dynamic_cast<const ErrorAlreadyRaised *>(&why)) {
            const bool isDenied = virGetLastErrorCode() == VIR_ERR_ACCESS_DENIED;
            failed.reason = isDenied ? "denied" : "error";
            failed.message = isDenied ? "" : virGetLastErrorMessage();
        } else if (const auto *const error = dynamic_cast<const Error *>(&why)) {
            failed.reason =
                reasonOf(error->code(), isKnown_ && action_ == audit::Action::valueRead);
            if (!quotesDocument(error->code()))
                failed.message = error->fullText();
        } else {
            failed.reason = "error";
            failed.message = why.what();
        }
        note(std::move(failed));
    } catch (const std::exception &exception) {
        libvirtAdminLog().failure("an audit record was not made: ", exception);
    }
}

} // namespace keyhold
