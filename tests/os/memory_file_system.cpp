// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/memory_file_system.h"

#include "os/memory_state.h"

#include <algorithm>
#include <cstring>

namespace keyhold {

MemoryFileSystem::MemoryFileSystem() : state_(std::make_unique<MemoryState>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

template <typename Body>
ssize_t MemoryFileSystem::perform(const FaultScript::Call &call, Body body) {
    const FaultScript::Verdict verdict = script_.judge(call);
    ssize_t result = verdict.isMade ? body() : 0;
    if (verdict.answer != 0)
        result = verdict.answer;
    script_.note(call, result);
    return result;
}

template <typename Body>
int MemoryFileSystem::performInt(const FaultScript::Call &call, Body body) {
    return static_cast<int>(perform(call, [&] { return ssize_t{body()}; }));
}

int MemoryFileSystem::makePath(const std::string &path) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "makePath", .path = path, .changes = true},
                      [&] { return state_->makePath(path); });
}

template <typename Body>
int MemoryFileSystem::performOpen(const FaultScript::Call &call, Body body) {
    int opened = -1;
    const int result = performInt(call, [&] { return opened = body(); });
    if (result < 0)
        state_->files.erase(opened);
    return result;
}

int MemoryFileSystem::openDirectory(const std::string &path) {
    const std::lock_guard held(mutex_);
    return performOpen({.verb = "open", .path = path}, [&] {
        return state_->open(state_->at(path), path, O_RDONLY | O_DIRECTORY, 0);
    });
}

int MemoryFileSystem::open(int directory, const char *name, int flags, mode_t mode) {
    const std::lock_guard held(mutex_);
    const std::string path = state_->pathOf(directory, name);
    const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0;
    return performOpen(
        {.verb = changes ? "create" : "open", .path = path, .changes = changes},
        [&] { return state_->open(state_->at(directory, name), path, flags, mode); });
}

int MemoryFileSystem::close(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "close", .path = state_->pathOf(descriptor), .closes = true}, [&] {
        const MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr)
            return -EBADF;
        state_->locks.erase(open->inode); // any descriptor of the file does, as POSIX has it
        state_->files.erase(descriptor);
        return 0;
    });
}

int MemoryFileSystem::status(int descriptor, FileStatus &out) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "status", .path = state_->pathOf(descriptor)}, [&] {
        const MemoryOpenFile *open = state_->find(descriptor);
        return open == nullptr ? -EBADF : state_->fill({.inode = open->inode}, out);
    });
}

int MemoryFileSystem::statusAt(int directory, const char *name, FileStatus &out) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "status", .path = state_->pathOf(directory, name)},
                      [&] { return state_->fill(state_->at(directory, name), out); });
}

int MemoryFileSystem::exists(int directory, const char *name) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "exists", .path = state_->pathOf(directory, name)}, [&] {
        const auto place = state_->at(directory, name);
        if (place.error != 0)
            return place.error;
        return place.inode == 0 ? -ENOENT : 0;
    });
}

int MemoryFileSystem::statusOf(const std::string &path, FileStatus &out) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "status", .path = path},
                      [&] { return state_->fill(state_->at(path), out); });
}

template <typename Place>
ssize_t MemoryFileSystem::performRead(int descriptor, void *buffer, std::size_t size,
                                      const Place &place) {
    const std::lock_guard held(mutex_);
    return perform({.verb = "read", .path = state_->pathOf(descriptor)}, [&]() -> ssize_t {
        MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr || !open->isReadable())
            return -EBADF;
        if (state_->disk.isDirectory(open->inode))
            return -EISDIR;
        const std::string &content = state_->disk.at(open->inode).content;
        std::size_t &offset = place(*open);
        const std::size_t from = std::min(offset, content.size());
        const std::size_t count = std::min(size, content.size() - from);
        if (count != 0)
            std::memcpy(buffer, content.data() + from, count);
        offset = from + count;
        return static_cast<ssize_t>(count);
    });
}

ssize_t MemoryFileSystem::read(int descriptor, void *buffer, std::size_t size) {
    return performRead(descriptor, buffer, size,
                       [](MemoryOpenFile &open) -> std::size_t & { return open.offset; });
}

ssize_t MemoryFileSystem::readAt(int descriptor, void *buffer, std::size_t size, off_t offset) {
    auto own = static_cast<std::size_t>(offset);
    return performRead(descriptor, buffer, size,
                       [&](MemoryOpenFile &) -> std::size_t & { return own; });
}

ssize_t MemoryFileSystem::write(int descriptor, const void *buffer, std::size_t size) {
    const std::lock_guard held(mutex_);
    return perform({.verb = "write", .path = state_->pathOf(descriptor), .changes = true},
                   [&]() -> ssize_t {
                       MemoryOpenFile *open = state_->find(descriptor);
                       if (open == nullptr || !open->isWritable())
                           return -EBADF;
                       if ((open->flags & O_APPEND) != 0)
                           open->offset = state_->disk.at(open->inode).content.size();
                       state_->disk.write(open->inode, open->offset,
                                          {static_cast<const char *>(buffer), size});
                       open->offset += size;
                       return static_cast<ssize_t>(size);
                   });
}

int MemoryFileSystem::fsync(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt(
        {.verb = "sync", .path = state_->pathOf(descriptor), .changes = true, .syncs = true}, [&] {
            const MemoryOpenFile *open = state_->find(descriptor);
            return open == nullptr ? -EBADF : state_->disk.sync(open->inode);
        });
}

int MemoryFileSystem::isReadOnly(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "statfs", .path = state_->pathOf(descriptor), .asksReadOnly = true},
                      [&] { return state_->find(descriptor) == nullptr ? -EBADF : 0; });
}

int MemoryFileSystem::rename(int directory, const char *from, const char *to) {
    const std::lock_guard held(mutex_);
    const std::string path =
        state_->pathOf(directory, from) + " -> " + state_->pathOf(directory, to);
    return performInt({.verb = "rename", .path = path, .changes = true}, [&] {
        return state_->disk.rename(state_->at(directory, from), state_->at(directory, to));
    });
}

int MemoryFileSystem::link(int directory, const char *from, const char *to) {
    const std::lock_guard held(mutex_);
    const std::string path =
        state_->pathOf(directory, from) + " -> " + state_->pathOf(directory, to);
    return performInt({.verb = "link", .path = path, .changes = true}, [&] {
        return state_->disk.link(state_->at(directory, from), state_->at(directory, to));
    });
}

int MemoryFileSystem::unlink(int directory, const char *name) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "unlink", .path = state_->pathOf(directory, name), .changes = true},
                      [&] { return state_->disk.unlink(state_->at(directory, name)); });
}

int MemoryFileSystem::list(int directory, const std::function<void(const char *name)> &visit) {
    std::vector<std::string> found;
    std::unique_lock held(mutex_);
    const int result = performInt({.verb = "list", .path = state_->pathOf(directory)}, [&] {
        const MemoryOpenFile *open = state_->find(directory);
        if (open == nullptr)
            return -EBADF;
        if (!state_->disk.isDirectory(open->inode))
            return -ENOTDIR;
        for (const auto &[name, inode] : state_->disk.at(open->inode).entries)
            found.push_back(name);
        return 0;
    });
    held.unlock();
    for (const std::string &name : found)
        visit(name.c_str());
    return result;
}

int MemoryFileSystem::lock(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "lock", .path = state_->pathOf(descriptor)}, [&] {
        const MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr || !open->isWritable())
            return -EBADF;
        if (state_->foreignLocks.contains(open->inode))
            return -EAGAIN;
        state_->locks.insert(open->inode);
        return 0;
    });
}

int MemoryFileSystem::lockDirectory(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "lock", .path = state_->pathOf(descriptor)}, [&] {
        const MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr)
            return -EBADF;
        const bool isFree =
            std::none_of(state_->files.begin(), state_->files.end(), [&](const auto &other) {
                return other.second.isDirectoryLocked && other.second.inode == open->inode &&
                       other.first != descriptor;
            });
        if (!isFree || state_->foreignLocks.contains(open->inode))
            return -EWOULDBLOCK;
        state_->files.at(descriptor).isDirectoryLocked = true;
        return 0;
    });
}

int MemoryFileSystem::unlockDirectory(int descriptor) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "unlock", .path = state_->pathOf(descriptor)}, [&] {
        MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr)
            return -EBADF;
        open->isDirectoryLocked = false;
        return 0;
    });
}

int MemoryFileSystem::setMode(int descriptor, mode_t mode) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "chmod", .path = state_->pathOf(descriptor)}, [&] {
        const MemoryOpenFile *open = state_->find(descriptor);
        if (open == nullptr)
            return -EBADF;
        state_->disk.setMode(open->inode, mode);
        return 0;
    });
}

int MemoryFileSystem::truncate(int descriptor, off_t size) {
    const std::lock_guard held(mutex_);
    return performInt({.verb = "truncate", .path = state_->pathOf(descriptor), .changes = true},
                      [&] {
                          const MemoryOpenFile *open = state_->find(descriptor);
                          if (open == nullptr)
                              return -EBADF;
                          if (!open->isWritable() || size < 0)
                              return -EINVAL;
                          state_->disk.resize(open->inode, static_cast<std::size_t>(size));
                          return 0;
                      });
}

} // namespace keyhold
