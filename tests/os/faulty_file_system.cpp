// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/faulty_file_system.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include <fcntl.h>

namespace keyhold {
namespace {

/// Trivial, so that thread storage holds no destructor.
thread_local bool isInAction = false;

bool contains(const std::string &name, std::string_view part) {
    return name.find(part) != std::string::npos;
}

std::string pair(const char *from, const char *to) {
    return std::string(from) + " -> " + to;
}

} // namespace

void FaultyFileSystem::runActions(Operation operation, const std::string &name) {
    if (isInAction)
        return;
    std::vector<std::function<void()>> due;
    {
        const std::lock_guard held(mutex_);
        for (const Action &action : actions_)
            if (action.operation == operation && contains(name, action.nameContains))
                due.push_back(action.run);
    }
    isInAction = true;
    try {
        for (const auto &run : due)
            run();
    } catch (...) {
        isInAction = false;
        throw;
    }
    isInAction = false;
}

FaultyFileSystem::Fault FaultyFileSystem::takeFault(Operation operation, const std::string &name) {
    const std::lock_guard held(mutex_);
    calls_.emplace_back(operation, name);
    for (Fault &fault : faults_) {
        if (fault.operation != operation || fault.times == 0 || !contains(name, fault.nameContains))
            continue;
        if (fault.after-- > 0)
            continue;
        fault.after = 0;
        if (fault.times > 0)
            --fault.times;
        return fault;
    }
    return {operation, {}, 0, 0, Effect::done, 0};
}

template <typename Call>
ssize_t FaultyFileSystem::pass(Operation operation, const std::string &name, Call call) {
    runActions(operation, name);
    const Fault fault = takeFault(operation, name);
    ssize_t result = 0;
    if (fault.effect == Effect::done || operation == Operation::close)
        result = call();
    return fault.error != 0 ? -fault.error : result;
}

template <typename Call>
int FaultyFileSystem::passInt(Operation operation, const std::string &name, Call call) {
    return static_cast<int>(pass(operation, name, [&] { return ssize_t{call()}; }));
}

template <typename Call>
int FaultyFileSystem::passOpen(Operation operation, const std::string &name, Call call) {
    int descriptor = -1;
    const int result = passInt(operation, name, [&] { return descriptor = call(); });
    if (result < 0 && descriptor >= 0)
        inner_.close(descriptor);
    if (result >= 0) {
        const std::lock_guard held(mutex_);
        names_[result] = name;
    }
    return result;
}

std::string FaultyFileSystem::nameOf(int descriptor) const {
    const std::lock_guard held(mutex_);
    auto found = names_.find(descriptor);
    return found == names_.end() ? std::string() : found->second;
}

std::size_t FaultyFileSystem::limited(std::size_t size) const {
    const std::lock_guard held(mutex_);
    return transferLimit_ == 0 ? size : std::min(size, transferLimit_);
}

bool FaultyFileSystem::isReadOnlyNow() const {
    const std::lock_guard held(mutex_);
    return isReadOnly_;
}

int FaultyFileSystem::makePath(const std::string &path) {
    return passInt(Operation::makePath, path, [&] { return inner_.makePath(path); });
}

int FaultyFileSystem::openDirectory(const std::string &path) {
    return passOpen(Operation::openDirectory, path, [&] { return inner_.openDirectory(path); });
}

int FaultyFileSystem::open(int directory, const char *name, int flags, mode_t mode) {
    return passOpen(Operation::open, name, [&] {
        const bool isRefused = (flags & O_CREAT) != 0 && isReadOnlyNow();
        return isRefused ? -EROFS : inner_.open(directory, name, flags, mode);
    });
}

int FaultyFileSystem::close(int descriptor) {
    return passInt(Operation::close, nameOf(descriptor), [&] {
        {
            // First: the number may be given to another thread as soon as it is closed.
            const std::lock_guard held(mutex_);
            names_.erase(descriptor);
        }
        return inner_.close(descriptor);
    });
}

int FaultyFileSystem::status(int descriptor, FileStatus &out) {
    return passInt(Operation::status, nameOf(descriptor),
                   [&] { return inner_.status(descriptor, out); });
}

int FaultyFileSystem::exists(int directory, const char *name) {
    return passInt(Operation::exists, name, [&] { return inner_.exists(directory, name); });
}

int FaultyFileSystem::statusAt(int directory, const char *name, FileStatus &out) {
    return passInt(Operation::statusAt, name,
                   [&] { return inner_.statusAt(directory, name, out); });
}

int FaultyFileSystem::statusOf(const std::string &path, FileStatus &out) {
    return passInt(Operation::statusOf, path, [&] { return inner_.statusOf(path, out); });
}

ssize_t FaultyFileSystem::read(int descriptor, void *buffer, std::size_t size) {
    return pass(Operation::read, nameOf(descriptor),
                [&] { return inner_.read(descriptor, buffer, limited(size)); });
}

ssize_t FaultyFileSystem::readAt(int descriptor, void *buffer, std::size_t size, off_t offset) {
    return pass(Operation::read, nameOf(descriptor),
                [&] { return inner_.readAt(descriptor, buffer, limited(size), offset); });
}

ssize_t FaultyFileSystem::write(int descriptor, const void *buffer, std::size_t size) {
    return pass(Operation::write, nameOf(descriptor),
                [&] { return inner_.write(descriptor, buffer, limited(size)); });
}

int FaultyFileSystem::fsync(int descriptor) {
    return passInt(Operation::sync, nameOf(descriptor), [&] { return inner_.fsync(descriptor); });
}

int FaultyFileSystem::isReadOnly(int descriptor) {
    return passInt(Operation::isReadOnly, nameOf(descriptor),
                   [&] { return inner_.isReadOnly(descriptor); });
}

int FaultyFileSystem::rename(int directory, const char *from, const char *to) {
    return passInt(Operation::rename, pair(from, to),
                   [&] { return inner_.rename(directory, from, to); });
}

int FaultyFileSystem::link(int directory, const char *from, const char *to) {
    return passInt(Operation::link, pair(from, to),
                   [&] { return inner_.link(directory, from, to); });
}

int FaultyFileSystem::unlink(int directory, const char *name) {
    return passInt(Operation::unlink, name, [&] { return inner_.unlink(directory, name); });
}

int FaultyFileSystem::list(int directory, const std::function<void(const char *name)> &visit) {
    return passInt(Operation::list, nameOf(directory),
                   [&] { return inner_.list(directory, visit); });
}

int FaultyFileSystem::lock(int descriptor) {
    return passInt(Operation::lock, nameOf(descriptor), [&] { return inner_.lock(descriptor); });
}

int FaultyFileSystem::lockDirectory(int descriptor) {
    return passInt(Operation::lockDirectory, nameOf(descriptor),
                   [&] { return inner_.lockDirectory(descriptor); });
}

int FaultyFileSystem::unlockDirectory(int descriptor) {
    return passInt(Operation::unlockDirectory, nameOf(descriptor),
                   [&] { return inner_.unlockDirectory(descriptor); });
}

int FaultyFileSystem::setMode(int descriptor, mode_t mode) {
    return passInt(Operation::setMode, nameOf(descriptor),
                   [&] { return inner_.setMode(descriptor, mode); });
}

int FaultyFileSystem::truncate(int descriptor, off_t size) {
    return passInt(Operation::truncate, nameOf(descriptor),
                   [&] { return inner_.truncate(descriptor, size); });
}

void FaultyFileSystem::fail(Operation operation, std::string nameContains, int error, int times,
                            Effect effect, int after) {
    const std::lock_guard held(mutex_);
    faults_.push_back({operation, std::move(nameContains), error, times, effect, after});
}

void FaultyFileSystem::before(Operation operation, std::string nameContains,
                              std::function<void()> action) {
    const std::lock_guard held(mutex_);
    actions_.push_back({operation, std::move(nameContains), std::move(action)});
}

void FaultyFileSystem::loseDisk(DiskLoss how) {
    constexpr int kSuccess = 0;
    const auto always = [&](std::initializer_list<Operation> operations, int error) {
        for (const Operation operation : operations)
            fail(operation, "", error, kAlways);
    };
    always({Operation::sync}, kSuccess);
    const int error = how == DiskLoss::shutDown ? EIO : EROFS;
    always({Operation::write, Operation::rename, Operation::link, Operation::unlink,
            Operation::truncate, Operation::setMode},
           error);
    if (how == DiskLoss::shutDown)
        always({Operation::openDirectory, Operation::open, Operation::status, Operation::statusAt,
                Operation::exists, Operation::statusOf, Operation::read, Operation::list},
               error);
    else
        always({Operation::isReadOnly}, -1);
    const std::lock_guard held(mutex_);
    isReadOnly_ = how == DiskLoss::readOnly;
}

void FaultyFileSystem::limitTransfers(std::size_t bytes) {
    const std::lock_guard held(mutex_);
    transferLimit_ = bytes;
}

void FaultyFileSystem::clearFaults() {
    const std::lock_guard held(mutex_);
    faults_.clear();
    actions_.clear();
    transferLimit_ = 0;
    isReadOnly_ = false;
}

std::size_t FaultyFileSystem::count(Operation operation, std::string_view nameContains) const {
    const std::lock_guard held(mutex_);
    return static_cast<std::size_t>(
        std::count_if(calls_.begin(), calls_.end(), [&](const auto &call) {
            return call.first == operation && contains(call.second, nameContains);
        }));
}

void FaultyFileSystem::clearCounts() {
    const std::lock_guard held(mutex_);
    calls_.clear();
}

std::size_t FaultyFileSystem::openDescriptors() const {
    const std::lock_guard held(mutex_);
    return names_.size();
}

} // namespace keyhold
