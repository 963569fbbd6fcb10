// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/memory_state.h"

#include <algorithm>
#include <stdexcept>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

int MemoryState::makePath(const std::string &path) {
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        Place place = at(path.substr(0, end));
        if (place.error == 0 && place.inode == 0) {
            place.error = disk.create(place, S_IFDIR | 0700);
            disk.sync(place.parent);
        }
        if (place.error != 0)
            return place.error;
        if (!disk.isDirectory(place.inode))
            return -ENOTDIR;
    }
    return path.empty() ? -ENOENT : 0;
}

int MemoryState::open(Place place, const std::string &path, int flags, mode_t mode) {
    int result = place.error;
    if (result == 0 && place.inode != 0)
        result = openExisting(place.inode, flags);
    else if (result == 0 && (flags & O_CREAT) != 0)
        result = disk.create(place, S_IFREG | (mode & 07777));
    else if (result == 0)
        result = -ENOENT;
    if (result != 0)
        return result;
    files[nextDescriptor] = {place.inode, flags, path};
    return nextDescriptor++;
}

int MemoryState::openExisting(ino_t inode, int flags) {
    const mode_t type = disk.at(inode).mode & S_IFMT;
    const bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return -EEXIST;
    if (type == S_IFLNK && (flags & O_NOFOLLOW) != 0)
        return -ELOOP;
    if (type == S_IFLNK && (flags & O_CREAT) != 0)
        throw std::logic_error("creation through a dangling link is not simulated");
    if (type == S_IFLNK)
        return -ENOENT;
    if (type == S_IFDIR && (writes || (flags & O_CREAT) != 0))
        return -EISDIR;
    if (type != S_IFDIR && (flags & O_DIRECTORY) != 0)
        return -ENOTDIR;
    if (type == S_IFIFO && (flags & O_NONBLOCK) == 0)
        throw std::logic_error("this open would wait for the other end of a FIFO");
    if (type == S_IFIFO && (flags & O_ACCMODE) == O_WRONLY)
        return -ENXIO;
    if (type == S_IFREG && writes && (flags & O_TRUNC) != 0)
        disk.resize(inode, 0);
    return 0;
}

int MemoryState::fill(const Place &place, FileStatus &out) {
    if (place.error != 0)
        return place.error;
    if (place.inode == 0 || S_ISLNK(disk.at(place.inode).mode))
        return -ENOENT;
    const MemoryInode &inode = disk.at(place.inode);
    out.device = 1;
    out.inode = place.inode;
    out.mode = inode.mode;
    out.owner = ::geteuid();
    out.links = inode.links;
    out.size = static_cast<off_t>(inode.content.size());
    out.changed = inode.changed;
    return 0;
}

} // namespace keyhold
