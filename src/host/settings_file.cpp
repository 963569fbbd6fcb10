// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/settings_file.h"

#include "abi/symbols.h"
#include "conf/conf_scan.h"
#include "conf/error.h"
#include "os/file_system.h"
#include "os/path_parts.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <libvirt/virterror.h>

#include <cerrno>
#include <memory>

#include <glib.h>

namespace keyhold {

namespace {

/// Raises configUnsupported if libvirt's own reader does not take a text: where and why it is
/// malformed, which libvirt logs as well. Leaves libvirt's error of the thread unset.
void requireWellFormed(const std::string &text) {
    const abi::Symbols &libvirt = abi::symbols();
    if (libvirt.virConfReadString == nullptr || libvirt.virConfFree == nullptr)
        throw Error(ErrorCode::configUnsupported, "this libvirt has no reader for it");
    // libvirt would stop there and miss settings.
    if (text.find('\0') != std::string::npos)
        throw Error(ErrorCode::configUnsupported, "it holds a NUL byte");
    // libvirt refuses a text of nothing but white space; with a comment behind it, it does not.
    abi::Conf *const conf = libvirt.virConfReadString((text + "\n#\n").c_str(), 0);
    if (conf == nullptr) {
        const std::string why = virGetLastErrorMessage();
        virResetLastError();
        throw Error(ErrorCode::configUnsupported, why);
    }
    libvirt.virConfFree(conf);
}

void requireNoDanglingLink(const std::string &path) {
    const std::unique_ptr<char, void (*)(void *)> target(g_file_read_link(path.c_str(), nullptr),
                                                         g_free);
    FileStatus status;
    if (target && posixFileSystem().statusOf(path, status) == -ENOENT)
        throw Error(ErrorCode::configUnsupported,
                    "it is a link to " + inQuotes(target.get()) + ", which is not there");
}

} // namespace

std::optional<std::string> readSettingsText(const std::string &path) {
    const std::string directory = directoryOf(path);
    FileStatus status;
    if (posixFileSystem().statusOf(directory, status) == -ENOENT)
        return std::nullopt;
    requireNoDanglingLink(path);
    return readTextFile(StoreDirectory::toReachFiles(posixFileSystem(), directory), nameIn(path),
                        kMaxSettingsSize);
}

SettingsFile readSettingsFile(const std::string &path) {
    const auto text = readSettingsText(path);
    if (!text)
        return {};
    requireWellFormed(*text);
    const std::vector<ConfStatement> statements = scanConf(*text);
    return {readSettings(statements), ignoredStatements(statements)};
}

} // namespace keyhold
