// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/source_place.h"

#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace keyhold {

/// As texts of errors and log lines show a name: in single quotes.
[[nodiscard]] std::string inQuotes(std::string_view name);

/// What went wrong, in terms of this driver. `remote/error_report.h` maps each to libvirt's domain
/// and code; the names say what a client can conclude.
enum class ErrorCode {
    invalidArgument,      ///< an argument or flag that the call does not take
    internal,             ///< stock reports these as internal errors: malformed uuid, conflicts
    configUnsupported,    ///< a configuration that this driver does not serve
    xmlInvalid,           ///< well-formed XML with a value out of range
    xmlAttributeInvalid,  ///< a required attribute is missing or is not one of its words
    xmlRootUnexpected,    ///< the root element is not <secret>
    xmlMalformed,         ///< libxml2 could not parse the document
    xmlSchemaMismatch,    ///< the document does not validate against secret.rng
    xmlSchemaUnusable,    ///< secret.rng itself could not be read
    notFound,             ///< no such secret, or it has no value
    privateValue,         ///< the value of a private secret was asked for by a client
    valueUnreadable,      ///< a value is stored but cannot be had (damage)
    invalidEncryptionKey, ///< the key a stored value needs is missing or is no key
    fileAccess,           ///< a file operation of the store failed; carries errno
    systemCall,           ///< any other system call failed; carries errno
    noMemory,             ///< allocation failed
    notActive,            ///< the state driver is not running
};

/// The one exception type of the project. The message is what a client reads, without libvirt's own
/// prefix for the code ("Secret not found: ...") and without the text of errno, which libvirt
/// appends itself. It never carries a value. A copy keeps the place where the first one was made.
class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string message, int systemErrno = 0,
          SourcePlace place = SourcePlace::current());

    [[nodiscard]] const char *what() const noexcept override { return message_->c_str(); }
    [[nodiscard]] ErrorCode code() const noexcept { return code_; }
    [[nodiscard]] const std::string &message() const noexcept { return *message_; }
    /// errno of the failed call, or 0.
    [[nodiscard]] int systemErrno() const noexcept { return systemErrno_; }
    /// Where it was raised, for the log.
    [[nodiscard]] const SourcePlace &place() const noexcept { return place_; }
    /// Message and the text of errno, for the log.
    [[nodiscard]] std::string fullText() const;

  private:
    ErrorCode code_;
    std::shared_ptr<const std::string> message_; // an exception must be copied without failing
    int systemErrno_;
    SourcePlace place_;
};

/// A change failed after it could be seen, and could not be taken back. What the backend holds for
/// this secret now must be read again.
class RollbackFailedError : public Error {
  public:
    using Error::Error;
    explicit RollbackFailedError(const Error &cause) : Error(cause) {}
};

} // namespace keyhold
