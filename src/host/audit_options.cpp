// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/audit_options.h"

#include "os/proc_file.h"

#include <algorithm>

#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace keyhold {

namespace {

/// As the journal has it: 32 hexadecimal digits.
std::string bootId() {
    std::string text = textOfProc("/proc/sys/kernel/random/boot_id");
    std::erase_if(text, [](char each) { return each == '-' || each == '\n'; });
    return text;
}

/// Empty where a write may wait for a disk.
std::string spoolFileIn(const std::string &directory) {
    struct statfs status {};
    const bool isInMemory = ::statfs(directory.c_str(), &status) == 0 &&
                            (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
    return isInMemory ? directory + "/keyhold-audit-spool" : std::string();
}

} // namespace

std::string auditFileOf(const Settings &settings, const InstancePaths &paths) {
    return settings.auditFile && paths.hasOwnSettings ? *settings.auditFile : paths.auditFile;
}

std::optional<audit::Options> auditOptions(const Settings &settings, const InstancePaths &paths) {
    if (!settings.audit)
        return std::nullopt;
    utsname names{};
    ::uname(&names);
    return audit::Options{.file = auditFileOf(settings, paths),
                          .keyFile = paths.auditKeyFile,
                          .spoolFile = spoolFileIn(paths.stateDirectory),
                          .isSynced = settings.auditSync,
                          .onFailure = settings.auditOnFailure,
                          .source = {.instance = paths.name,
                                     .host = names.nodename,
                                     .bootId = bootId(),
                                     .pid = ::getpid(),
                                     .userId = ::geteuid()}};
}

} // namespace keyhold
