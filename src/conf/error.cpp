// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/error.h"

#include <glib.h>

#include <utility>

namespace keyhold {

std::string inQuotes(std::string_view name) {
    return std::string("'").append(name).append("'");
}

Error::Error(ErrorCode code, std::string message, int systemErrno, SourcePlace place)
    : code_(code),
      message_(std::make_shared<const std::string>(std::move(message))),
      systemErrno_(systemErrno),
      place_(place) {}

std::string Error::fullText() const {
    if (systemErrno_ == 0)
        return *message_;
    return *message_ + ": " + g_strerror(systemErrno_);
}

} // namespace keyhold
