// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt_target.h"

#include "conf/error.h"
#include "host/settings_file.h"
#include "os/file_system.h"

#include <unistd.h>

namespace keyhold::command {

namespace {

[[noreturn]] void refuse(const std::string &text) {
    throw Error(ErrorCode::configUnsupported, text);
}

} // namespace

Target chooseWithOwnSettings(const EncryptOptions &options) {
    Target target = chooseSettings(options.target);
    const bool isEmbedded = target.kind == Target::Kind::embedded;
    if (isEmbedded && !exists(target))
        throw Error(ErrorCode::notFound,
                    "there is no directory " + inQuotes(target.paths.configDirectory));
    if (target.kind == Target::Kind::system && ::geteuid() != 0)
        throw Error(ErrorCode::fileAccess, "cannot change " + inQuotes(target.paths.settingsFile) +
                                               "; run the command as root");
    FileStatus status;
    if (isEmbedded && posixFileSystem().statusOf(target.paths.configDirectory, status) >= 0 &&
        status.owner != ::geteuid())
        refuse(inQuotes(target.paths.configDirectory) + " belongs to user " +
               std::to_string(status.owner) + "; run the command as that user");
    const std::string own = target.root + "/etc/secret.conf";
    if (!isEmbedded || target.paths.settingsFile == own)
        return target;
    const Settings shared = readSettingsFile(target.paths.settingsFile).settings;
    if (options.step != EncryptStep::on || shared.secretsEncryptionKey || shared.encryptData ||
        !shared.secretsDecryptionKeys.empty() || !shared.problems.empty())
        refuse("the root " + inQuotes(target.root) + " has no settings of its own and goes by " +
               inQuotes(target.paths.settingsFile) + ", as other stores do; make " + inQuotes(own) +
               " with what it is to go by first");
    target.paths.settingsFile = own;
    return target;
}

void requireUsableSettings(const std::string &path) {
    Settings settings;
    try {
        settings = readSettingsFile(path).settings;
    } catch (const Error &error) {
        refuse(inQuotes(path) + " cannot be used: " + error.fullText() + "; put it right first");
    }
    for (const SettingProblem &problem : settings.problems) {
        using Of = SettingProblem::Of;
        if (problem.setting == Of::encryptData || problem.setting == Of::secretsEncryptionKey ||
            problem.setting == Of::secretsDecryptionKeys)
            refuse(inQuotes(path) + ": " + problem.text + "; put it right first");
    }
}

} // namespace keyhold::command
