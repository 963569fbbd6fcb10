// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/key_maker.h"

#include "conf/error.h"
#include "conf/sodium.h"
#include "conf/uuid.h"
#include "os/descriptor.h"
#include "os/durable_file.h"
#include "os/store_directory.h"
#include "seal/guarded_memory.h"
#include "seal/keyring.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include <fcntl.h>

namespace keyhold::command {

namespace {

/// What runs left that were killed before their file had its name.
void removeStaged(StoreDirectory &directory, const std::string &name) {
    std::vector<std::string> staged;
    directory.list([&](std::string_view each) {
        if (each.starts_with(name + ".") && Uuid::parseCanonical(each.substr(name.size() + 1)))
            staged.emplace_back(each);
    });
    for (const std::string &each : staged)
        directory.unlink(each);
}

/// As a link, where the file system has none: an empty file of that name is claimed first.
int renameToNew(StoreDirectory &directory, const std::string &from, const std::string &to) {
    FileSystem &fileSystem = directory.fileSystem();
    {
        const Descriptor claim(fileSystem,
                               fileSystem.open(directory.number(), to.c_str(),
                                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
        if (claim.number() < 0)
            return claim.number();
    }
    return fileSystem.rename(directory.number(), from.c_str(), to.c_str());
}

bool isWithoutLinks(int result) {
    return result == -EPERM || result == -EOPNOTSUPP || result == -ENOSYS || result == -EMLINK;
}

} // namespace

void makeKeyFile(const std::string &place) {
    const std::size_t slash = place.rfind('/');
    StoreDirectory directory(posixFileSystem(), place.substr(0, std::max<std::size_t>(slash, 1)));
    const std::string name = place.substr(slash + 1);
    if (name.empty())
        throw Error(ErrorCode::invalidArgument, "'" + place + "' names no file");
    removeStaged(directory, name);
    const std::string staged = name + "." + Uuid::generate().toString();
    GuardedMemory key(Key::kSize);
    fillRandom(key.bytes());
    writeSyncedFile(directory, staged, key.bytes());
    // A link never takes the place of a file, as a rename would.
    int result = directory.fileSystem().link(directory.number(), staged.c_str(), name.c_str());
    if (isWithoutLinks(result))
        result = renameToNew(directory, staged, name);
    directory.unlink(staged);
    if (result == -EEXIST)
        throw Error(ErrorCode::fileAccess, "'" + place + "' is there already; it stays as it is");
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot make '" + place + "'", -result);
    directory.syncOrRaise();
}

void removeOtherNames(const std::string &place) {
    FileStatus status;
    if (posixFileSystem().statusOf(place, status) < 0 || status.links < 2)
        return;
    const std::size_t slash = place.rfind('/');
    StoreDirectory directory(posixFileSystem(), place.substr(0, std::max<std::size_t>(slash, 1)));
    removeStaged(directory, place.substr(slash + 1));
}

} // namespace keyhold::command
