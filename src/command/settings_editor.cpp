// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/settings_editor.h"

#include "command/extended_attributes.h"
#include "conf/bytes.h"
#include "conf/conf_edit.h"
#include "conf/error.h"
#include "host/settings_file.h"
#include "os/descriptor.h"
#include "os/untrusted_file.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

constexpr const char *kStaged = ".secret.conf.keyhold-new";
constexpr mode_t kNewMode = 0600;

/// Where links lead to; the path itself if nothing is there.
std::string resolved(const std::string &path) {
    const std::unique_ptr<char, void (*)(void *)> real(::realpath(path.c_str(), nullptr),
                                                       std::free);
    if (real)
        return real.get();
    struct stat status {};
    if (errno != ENOENT || ::lstat(path.c_str(), &status) == 0)
        throw Error(ErrorCode::fileAccess, "cannot follow " + inQuotes(path), errno);
    return path;
}

} // namespace

SettingsEditor::SettingsEditor(const std::string &path) : path_(path) {
    const std::string real = resolved(path);
    const std::size_t slash = real.rfind('/');
    const std::string directory = real.substr(0, std::max<std::size_t>(slash, 1));
    name_ = real.substr(slash + 1);
    FileSystem &fileSystem = posixFileSystem();
    if (const int result = fileSystem.makePath(directory); result < 0)
        throw Error(ErrorCode::fileAccess, "cannot make " + inQuotes(directory), -result);
    directory_.emplace(fileSystem, directory);
    if (fileSystem.lockDirectory(directory_->number()) == -EWOULDBLOCK)
        throw Error(ErrorCode::configUnsupported,
                    "another keyhold is changing " + inQuotes(path) +
                        "; run the command again when that has ended");
    read();
}

void SettingsEditor::read() {
    status_.reset();
    FileStatus status;
    const auto text = readTextFile(*directory_, name_, kMaxSettingsSize, &status);
    text_ = text.value_or("");
    if (text)
        status_ = status;
}

bool SettingsEditor::write(const std::string &text) {
    if (text == text_)
        return false;
    FileSystem &fileSystem = directory_->fileSystem();
    const int number = directory_->number();
    fileSystem.unlink(number, kStaged);
    std::string attribute;
    const auto raiseIf = [&](int result) {
        if (result >= 0)
            return;
        fileSystem.unlink(number, kStaged);
        throw Error(ErrorCode::fileAccess,
                    "cannot write " + inQuotes(path_) +
                        (attribute.empty() ? "" : " with its attribute " + inQuotes(attribute)),
                    -result);
    };
    {
        const Descriptor file(
            fileSystem,
            fileSystem.open(number, kStaged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kNewMode));
        raiseIf(file.number());
        struct stat former {};
        if (status_) {
            if (::fstatat(number, name_.c_str(), &former, 0) < 0)
                raiseIf(-errno);
            // Before the mode: a change of the owner may take bits of it away.
            if (::fchown(file.number(), former.st_uid, former.st_gid) < 0)
                raiseIf(-errno);
        }
        raiseIf(fileSystem.setMode(file.number(), status_ ? former.st_mode & 07777 : kNewMode));
        // After the mode, which an access control list has a share in.
        if (status_) {
            const Descriptor from(fileSystem,
                                  fileSystem.open(number, name_.c_str(), O_RDONLY | O_NONBLOCK, 0));
            raiseIf(from.number());
            raiseIf(copyExtendedAttributes(from.number(), file.number(), attribute));
        }
        raiseIf(fileSystem.writeAll(file.number(), bytesOf(text)));
        raiseIf(fileSystem.sync(file.number()));
    }
    FileStatus now;
    const int found = fileSystem.statusAt(number, name_.c_str(), now);
    if (status_ ? found < 0 || !now.isUnchangedSince(*status_) : found != -ENOENT) {
        fileSystem.unlink(number, kStaged);
        throw Error(ErrorCode::fileAccess, inQuotes(path_) +
                                               " was changed by somebody else in the meantime; it "
                                               "stays as it is, run the command again");
    }
    raiseIf(fileSystem.rename(number, kStaged, name_.c_str()));
    directory_->syncOrRaise();
    read();
    return true;
}

namespace temporary_settings {

namespace {

constexpr const char *kNew = "# keyhold: until its work is done";
constexpr const char *kWasOff = "# keyhold: until its work is done, then 0";

} // namespace

std::string with(const std::string &text, const std::string &setting) {
    const bool isThere = withoutStatement(text, setting) != text;
    return withStatement(text, setting, "1", isThere ? kWasOff : kNew);
}

std::string without(std::string text) {
    for (const char *setting : {"seal_existing", "unseal_existing"}) {
        const std::string note(noteOf(text, setting));
        if (note == kNew)
            text = withoutStatement(text, setting);
        else if (note == kWasOff)
            text = withStatement(text, setting, "0");
    }
    return text;
}

} // namespace temporary_settings

} // namespace keyhold::command
