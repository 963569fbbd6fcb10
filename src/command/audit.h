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

/// Of what time records are shown, as parseTrailTime() reads it; what is empty does not count.
struct AuditPeriod {
    std::string since;
    std::string until;
};

struct AuditShowOptions {
    AuditTarget trail;
    AuditPeriod period;
    std::string action;  ///< empty for all
    std::string outcome; ///< empty for all
    bool json = false;
};
/// `keyhold audit show`: prints records, the oldest first. This and the next two do not check the
/// trail; they exit with findings if some of it cannot be read.
[[nodiscard]] Exit auditShow(const AuditShowOptions &options);

struct AuditWhoOptions {
    AuditTarget trail;
    AuditPeriod period;
    std::string secret;                   ///< as parseSecretName() reads it
    std::vector<std::string> connections; ///< as UsersOptions
    bool json = false;
};
/// `keyhold audit who SECRET`: prints the records of one secret, and what uses it now.
[[nodiscard]] Exit auditWho(const AuditWhoOptions &options);

struct AuditByOptions {
    AuditTarget trail;
    AuditPeriod period;
    std::string user; ///< a name or a number
    bool json = false;
};
/// `keyhold audit by USER`: prints the records of one caller.
[[nodiscard]] Exit auditBy(const AuditByOptions &options);

} // namespace keyhold::command
