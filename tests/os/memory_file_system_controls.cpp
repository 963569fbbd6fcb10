// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/memory_file_system.h"
#include "os/memory_state.h"

#include <cstring>
#include <stdexcept>

#include <sys/stat.h>

namespace keyhold {

void MemoryFileSystem::failCall(std::size_t k, int error, Effect effect, Calls calls) {
    const std::lock_guard held(mutex_);
    script_.add(FaultScript::Kind::failOnce, k, calls, error, effect);
}

void MemoryFileSystem::failFrom(std::size_t k, int error, Calls calls) {
    const std::lock_guard held(mutex_);
    script_.add(FaultScript::Kind::failOnwards, k, calls, error, Effect::none);
}

void MemoryFileSystem::stopAfter(std::size_t k, Calls calls) {
    const std::lock_guard held(mutex_);
    script_.add(FaultScript::Kind::stop, k + 1, calls, EIO, Effect::none);
}

void MemoryFileSystem::dieAfter(std::size_t k, Calls calls) {
    const std::lock_guard held(mutex_);
    script_.add(FaultScript::Kind::die, k + 1, calls, EIO, Effect::none);
}

void MemoryFileSystem::loseDisk(std::size_t k, DiskLoss how) {
    const std::lock_guard held(mutex_);
    script_.loseDisk(k, how);
}

void MemoryFileSystem::clearFaults() {
    const std::lock_guard held(mutex_);
    script_.clearFaults();
}

bool MemoryFileSystem::isStopped() const {
    const std::lock_guard held(mutex_);
    return script_.isStopped();
}

std::size_t MemoryFileSystem::callCount(Calls calls) const {
    const std::lock_guard held(mutex_);
    return script_.callCount(calls);
}

std::vector<std::string> MemoryFileSystem::trace(Calls calls) const {
    const std::lock_guard held(mutex_);
    return script_.trace(calls);
}

void MemoryFileSystem::clearTrace() {
    const std::lock_guard held(mutex_);
    script_.clearTrace();
}

void MemoryFileSystem::crashKill() {
    const std::lock_guard held(mutex_);
    state_->endProcess();
    script_.clearFaults();
}

void MemoryFileSystem::crashPowerLoss(std::mt19937_64 &rng, const PowerLoss &how) {
    const std::lock_guard held(mutex_);
    state_->endProcess();
    state_->foreignLocks.clear();
    state_->disk.losePower(rng, how);
    script_.clearFaults();
}

MemoryFileSystem::Snapshot MemoryFileSystem::snapshot() const {
    const std::lock_guard held(mutex_);
    Snapshot taken;
    taken.state_ = std::make_shared<const MemoryState>(*state_);
    return taken;
}

void MemoryFileSystem::restore(const Snapshot &snapshot) {
    const std::lock_guard held(mutex_);
    const int next = state_->nextDescriptor;
    *state_ = *snapshot.state_;
    state_->nextDescriptor = next;
}

void MemoryFileSystem::put(const std::string &path, mode_t mode, std::string_view content) {
    const std::lock_guard held(mutex_);
    if (auto slash = path.rfind('/'); slash != 0)
        state_->makePath(path.substr(0, slash));
    Place place = state_->at(path);
    if (place.error == 0 && place.inode != 0 && state_->disk.isDirectory(place.inode))
        place.error = S_ISDIR(mode) ? 0 : -EISDIR;
    else if (place.error == 0)
        place.error = state_->disk.create(place, mode);
    if (place.error != 0)
        throw std::logic_error("cannot put " + path + ": " + ::strerrordesc_np(-place.error));
    if (S_ISREG(mode)) {
        state_->disk.write(place.inode, 0, content);
        state_->disk.sync(place.inode);
    }
    if (place.parent != 0)
        state_->disk.sync(place.parent);
}

void MemoryFileSystem::putFile(const std::string &path, std::string_view content, mode_t mode) {
    put(path, S_IFREG | mode, content);
}

void MemoryFileSystem::putDirectory(const std::string &path) {
    put(path, S_IFDIR | 0755, {});
}
void MemoryFileSystem::putFifo(const std::string &path) {
    put(path, S_IFIFO | 0600, {});
}
void MemoryFileSystem::putDanglingLink(const std::string &path) {
    put(path, S_IFLNK | 0777, {});
}

void MemoryFileSystem::removeAll(const std::string &path) {
    const std::lock_guard held(mutex_);
    if (int error = state_->disk.removeAll(state_->at(path)); error != 0)
        throw std::logic_error("cannot remove " + path + ": " + ::strerrordesc_np(-error));
}

void MemoryFileSystem::holdLock(const std::string &path) {
    const std::lock_guard held(mutex_);
    state_->foreignLocks.insert(state_->at(path).inode);
}

void MemoryFileSystem::dropLock(const std::string &path) {
    const std::lock_guard held(mutex_);
    state_->foreignLocks.erase(state_->at(path).inode);
}

std::optional<std::string> MemoryFileSystem::content(const std::string &path) const {
    const std::lock_guard held(mutex_);
    const Place place = state_->at(path);
    if (place.error != 0 || place.inode == 0 || !S_ISREG(state_->disk.at(place.inode).mode))
        return std::nullopt;
    return state_->disk.at(place.inode).content;
}

std::vector<std::string> MemoryFileSystem::names(const std::string &directory) const {
    const std::lock_guard held(mutex_);
    std::vector<std::string> found;
    const Place place = state_->at(directory);
    if (place.error == 0 && place.inode != 0)
        for (const auto &[name, inode] : state_->disk.at(place.inode).entries)
            found.push_back(name);
    return found;
}

bool MemoryFileSystem::allSynced(const std::string &directory) const {
    const std::lock_guard held(mutex_);
    return state_->disk.allSynced(state_->at(directory).inode);
}

bool MemoryFileSystem::isLocked(const std::string &path) const {
    const std::lock_guard held(mutex_);
    return state_->locks.contains(state_->at(path).inode);
}

std::size_t MemoryFileSystem::openDescriptors() const {
    const std::lock_guard held(mutex_);
    return state_->files.size();
}

} // namespace keyhold
