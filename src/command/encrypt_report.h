// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/convert.h"
#include "command/daemon.h"
#include "command/encrypt.h"
#include "directory/inspection.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// "on", "off", "rotate".
[[nodiscard]] const char *stepName(EncryptStep step);

/// What came of `keyhold encrypt`.
struct EncryptResult {
    EncryptStep step;
    const Target &target;
    std::string keyFile; ///< empty if none was needed
    std::string keyId;
    bool isKeyMade = false;
    std::optional<Daemon::Settings> daemon; ///< empty if none holds the store
    Outcome outcome;
    std::vector<std::string> advice;
    std::vector<Finding> plainCopies; ///< of `on`: files that may hold in plain what is sealed now
};

/// `inspection` is of the store afterwards.
void printEncryption(const EncryptResult &result, const Inspection &inspection, bool json);

} // namespace keyhold::command
