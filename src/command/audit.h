// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <string>
#include <vector>

/// The subcommands of `keyhold audit`: what the audit trail of an instance says, and whether it is
/// as it was written.
namespace keyhold::command {

struct AuditTarget {
    TargetChoice target;
    std::string file; ///< of the trail; empty for that of the target
};
/// The file of the trail, absolute. Raises as chooseSettings() and readSettingsFile().
[[nodiscard]] std::string trailOf(const AuditTarget &choice);

struct AuditVerifyOptions {
    AuditTarget trail;
    std::vector<std::string> keys; ///< each SEQUENCE:HEX
    std::string keyFile;           ///< with such keys, one a line; "-" for standard input
    std::string head;              ///< SEQUENCE:HEX; empty if there is none
    bool json = false;
};
/// `keyhold audit verify`: says how much is proven of a trail. Exits with findings if it is broken,
/// or says that records are missing.
[[nodiscard]] Exit auditVerify(const AuditVerifyOptions &options);

struct AuditInitOptions {
    AuditTarget trail;
    bool isReplacing = false; ///< the key that is there
    bool json = false;
};
/// `keyhold audit init`: makes the key that seals records from the next one on, for the driver, and
/// prints it, which nothing does later. Raises configUnsupported if there is a key already, or if
/// the driver that has the store open would write its own over it.
[[nodiscard]] Exit auditInit(const AuditInitOptions &options);

} // namespace keyhold::command
