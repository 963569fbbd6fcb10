// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/instance_paths.h"

#include "abi/symbols.h"
#include "config.h"
#include "os/file_system.h"

#include <glib.h>

#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold {

namespace {

std::string takeHostString(char *text) {
    const std::unique_ptr<char, void (*)(void *)> owned(text, g_free);
    return owned.get();
}

std::string systemSettings() {
    return KEYHOLD_SYSCONFDIR "/libvirt/secret.conf";
}

std::string userSettings() {
    return takeHostString(abi::symbols().virGetUserConfigDirectory()) + "/secret.conf";
}

} // namespace

InstancePaths InstancePaths::system() {
    return {KEYHOLD_SYSCONFDIR "/libvirt/secrets",
            KEYHOLD_RUNSTATEDIR "/libvirt/secrets",
            systemSettings(),
            true,
            KEYHOLD_LOCALSTATEDIR "/log/keyhold/audit.jsonl",
            KEYHOLD_LOCALSTATEDIR "/lib/keyhold/audit-key",
            "system"};
}

InstancePaths InstancePaths::session() {
    const abi::Symbols &host = abi::symbols();
    return {takeHostString(host.virGetUserConfigDirectory()) + "/secrets",
            takeHostString(host.virGetUserRuntimeDirectory()) + "/secrets/run",
            userSettings(),
            false,
            g_get_user_state_dir() + std::string("/keyhold/audit.jsonl"),
            g_get_user_data_dir() + std::string("/keyhold/audit-key"),
            "session"};
}

InstancePaths InstancePaths::embedded(const std::string &root) {
    InstancePaths paths{root + "/etc/secrets",
                        root + "/run/secrets",
                        root + "/etc/secret.conf",
                        false,
                        root + "/log/audit.jsonl",
                        root + "/lib/audit-key",
                        root};
    // A link that leads nowhere is its own settings, which cannot be read.
    if (posixFileSystem().exists(AT_FDCWD, paths.settingsFile.c_str()) == -ENOENT) {
        paths.settingsFile = geteuid() == 0 ? systemSettings() : userSettings();
        paths.hasOwnSettings = false;
    }
    return paths;
}

std::string builtInKeyPath() {
    return takeHostString(abi::symbols().virGetUserRuntimeDirectory()) + "/secrets/encryption-key";
}

} // namespace keyhold
