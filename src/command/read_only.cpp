// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/read_only.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace keyhold::command {

std::optional<Finding> readOnlyFinding(const std::string &directory) {
    constexpr const char *kConsequence = "; values can be neither set nor sealed; ";
    const auto say = [&](const std::string &what, const char *remedy) {
        return Finding{Finding::Kind::readOnly, directory, what + kConsequence + remedy};
    };
    struct statvfs mounted {};
    if (::statvfs(directory.c_str(), &mounted) == 0 && (mounted.f_flag & ST_RDONLY) != 0)
        return say("is on a read-only file system",
                   "see why in the log of the kernel, and mount it read-write");
    struct statx status {};
    if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_MODE, &status) == 0 &&
        (status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0)
        return say("is immutable or append-only", "chattr -ia it");
    return std::nullopt;
}

} // namespace keyhold::command
