// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/durable_file.h"

#include <cerrno>
#include <fcntl.h>

namespace keyhold {

namespace {

constexpr mode_t kFileMode = 0600;

Descriptor createFile(StoreDirectory &directory, const std::string &name) {
    FileSystem &fileSystem = directory.fileSystem();
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int number = fileSystem.open(directory.number(), name.c_str(), flags, kFileMode);
    if (number == -EEXIST) {
        fileSystem.unlink(directory.number(), name.c_str());
        number = fileSystem.open(directory.number(), name.c_str(), flags, kFileMode);
    }
    if (number < 0)
        throw directory.error(ErrorCode::fileAccess, "Failed to create file", name, number);
    return Descriptor(fileSystem, number);
}

// What became of the file that is to be replaced.
struct FormerFile {
    bool isKept = false;    // it is called `old`
    bool hasMoved = false;  // ... and nothing else
    bool canReturn = false; // the change can be taken back
};

FormerFile giveSecondName(StoreDirectory &directory, const std::string &name,
                          const std::string &old, Former former) {
    FileSystem &fileSystem = directory.fileSystem();
    int result = fileSystem.link(directory.number(), name.c_str(), old.c_str());
    if (result == -EEXIST) {
        fileSystem.unlink(directory.number(), old.c_str());
        result = fileSystem.link(directory.number(), name.c_str(), old.c_str());
    }
    if (result == 0 || result == -ENOENT)
        return {.isKept = result == 0, .hasMoved = false, .canReturn = true};
    if (former == Former::ifLinkable)
        return {};
    const bool hasMoved = directory.rename(name, old);
    return {.isKept = hasMoved, .hasMoved = hasMoved, .canReturn = true};
}

bool isGone(StoreDirectory &directory, const std::string &name) {
    return directory.fileSystem().exists(directory.number(), name.c_str()) == -ENOENT;
}

/// True if that is durable.
bool renameBack(StoreDirectory &directory, const std::string &from, const std::string &to) {
    return directory.fileSystem().rename(directory.number(), from.c_str(), to.c_str()) == 0 &&
           directory.sync() == 0;
}

[[noreturn]] void raiseUnsynced(StoreDirectory &directory, int failure, bool isRestored,
                                SourcePlace place = SourcePlace::current()) {
    const Error error = directory.syncError(-failure, place);
    if (isRestored)
        throw error;
    throw RollbackFailedError(error.code(),
                              error.message() +
                                  ", and the change could not be taken back: check the file system",
                              failure, place);
}

FormerFile keepFormer(StoreDirectory &directory, const std::string &name, const std::string &old,
                      Former former) {
    const FormerFile kept = giveSecondName(directory, name, old, former);
    if (former == Former::ifLinkable || !kept.isKept)
        return kept;
    // A power cut must not take the second name away and leave the new file in place of the first.
    const int result = directory.sync();
    if (result == 0)
        return kept;
    if (!kept.hasMoved)
        directory.fileSystem().unlink(directory.number(), old.c_str());
    raiseUnsynced(directory, -result, !kept.hasMoved || renameBack(directory, old, name));
}

} // namespace

void writeSyncedFile(StoreDirectory &directory, const std::string &name,
                     std::span<const std::uint8_t> bytes) {
    Descriptor file = createFile(directory, name);
    try {
        const auto require = [&](const char *failure, int result,
                                 SourcePlace place = SourcePlace::current()) {
            if (result < 0)
                throw directory.error(ErrorCode::fileAccess, failure, name, result, place);
        };
        require("cannot set mode of file",
                directory.fileSystem().setMode(file.number(), kFileMode));
        require("cannot write data to file", directory.fileSystem().writeAll(file.number(), bytes));
        require("cannot sync file", directory.fileSystem().sync(file.number()));
        require("cannot save file", file.close());
    } catch (const Error &) {
        directory.fileSystem().unlink(directory.number(), name.c_str());
        throw;
    }
}

bool replaceDurably(StoreDirectory &directory, const std::string &from, const std::string &to,
                    const std::string &old, Former former) {
    FileSystem &fileSystem = directory.fileSystem();
    FormerFile kept;
    try {
        kept = keepFormer(directory, to, old, former);
    } catch (const Error &) {
        fileSystem.unlink(directory.number(), from.c_str());
        throw;
    }
    const auto restore = [&] {
        if (kept.isKept)
            return renameBack(directory, old, to);
        return kept.canReturn && fileSystem.unlink(directory.number(), to.c_str()) == 0 &&
               directory.sync() == 0;
    };

    int result = fileSystem.rename(directory.number(), from.c_str(), to.c_str());
    if (result < 0) {
        const Error error = directory.renameError(from, to, result);
        // Over a network, a call that failed may have been done.
        const bool wasDone = isGone(directory, from);
        fileSystem.unlink(directory.number(), from.c_str());
        if ((wasDone || kept.hasMoved) && !restore())
            throw RollbackFailedError(error);
        if (kept.isKept)
            fileSystem.unlink(directory.number(), old.c_str());
        throw error;
    }

    result = directory.sync();
    if (result < 0)
        raiseUnsynced(directory, -result, restore());
    return kept.isKept;
}

bool removeDurably(StoreDirectory &directory, const std::string &name, const std::string &old) {
    FileSystem &fileSystem = directory.fileSystem();
    const auto exists = [&](const std::string &each) {
        return fileSystem.exists(directory.number(), each.c_str()) == 0;
    };
    // Left over from a change that failed, `old` may be a second name of this file, and to rename
    // one name of a file as another does nothing.
    if (exists(old) && exists(name))
        fileSystem.unlink(directory.number(), old.c_str());
    int result = fileSystem.rename(directory.number(), name.c_str(), old.c_str());
    if (result == -ENOENT)
        return false;
    if (result < 0) {
        const Error error = directory.error(ErrorCode::systemCall, "cannot unlink", name, result);
        if (isGone(directory, name) && !renameBack(directory, old, name))
            throw RollbackFailedError(error);
        throw error;
    }

    result = directory.sync();
    if (result < 0)
        raiseUnsynced(directory, -result, renameBack(directory, old, name));
    return true;
}

} // namespace keyhold
