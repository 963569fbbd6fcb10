// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <exception>

namespace keyhold {

/// Libvirt has already set the error of this thread (an access check, a URI helper); there is
/// nothing to add, only to leave.
class ErrorAlreadyRaised : public std::exception {
  public:
    [[nodiscard]] const char *what() const noexcept override {
        return "libvirt has raised the error of this call";
    }
};

/// Sets libvirt's thread-local error from one of ours: the one place where our codes become
/// libvirt's domains and codes. The log line that libvirt writes with it names error.place().
void reportError(const Error &error) noexcept;

/// Raises ErrorAlreadyRaised if `flags` has a bit outside `supported`, with libvirt's own error for
/// it: the text names the unknown bits and the stock driver's function behind this entry. `place`
/// is for libvirt's log.
void requireFlags(unsigned int flags, unsigned int supported, const char *function,
                  SourcePlace place = SourcePlace::current());

/// What guard() does with the exception in flight.
void reportCurrentException();

/// Calls `body`, the work of one entry that libvirt calls, and returns what it returns; on any
/// exception sets libvirt's error and returns `failure`. Only the cancellation of the thread
/// passes, which C++ raises as an exception that must not be kept.
template <typename Result, typename Body>
Result guard(Result failure, Body &&body) {
    try {
        return body();
    } catch (...) {
        reportCurrentException();
        return failure;
    }
}

} // namespace keyhold
