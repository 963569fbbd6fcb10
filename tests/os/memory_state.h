// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"
#include "os/memory_disk.h"

#include <cerrno>
#include <map>
#include <set>
#include <string>

#include <fcntl.h>

namespace keyhold {

/// An open file description.
struct MemoryOpenFile {
    ino_t inode;
    int flags;
    std::string path;
    std::size_t offset = 0;
    bool isDirectoryLocked = false;

    [[nodiscard]] bool isReadable() const { return (flags & O_ACCMODE) != O_WRONLY; }
    [[nodiscard]] bool isWritable() const { return (flags & O_ACCMODE) != O_RDONLY; }
};

/// Disk and process of a MemoryFileSystem, as a value. Not thread-safe.
struct MemoryState {
    MemoryDisk disk;
    std::map<int, MemoryOpenFile> files;
    std::set<ino_t> locks;
    std::set<ino_t> foreignLocks;
    int nextDescriptor = 1'000'000; ///< far from those of the kernel

    MemoryOpenFile *find(int descriptor) {
        auto found = files.find(descriptor);
        return found == files.end() ? nullptr : &found->second;
    }

    Place at(int directory, const char *name) {
        if (*name == '/')
            return at(std::string(name));
        const MemoryOpenFile *open = find(directory);
        return open == nullptr ? Place{.error = -EBADF} : disk.locate(open->inode, name);
    }

    Place at(const std::string &path) { return disk.locate(MemoryDisk::kRoot, path); }

    std::string pathOf(int descriptor) {
        const MemoryOpenFile *open = find(descriptor);
        return open == nullptr ? "(not open)" : open->path;
    }

    std::string pathOf(int directory, const char *name) {
        return *name == '/' ? name : pathOf(directory) + "/" + name;
    }

    void endProcess() {
        files.clear();
        locks.clear();
    }

    int makePath(const std::string &path);
    int open(Place place, const std::string &path, int flags, mode_t mode);
    int openExisting(ino_t inode, int flags);
    int fill(const Place &place, FileStatus &out);
};

} // namespace keyhold
