// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/memory_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <sys/stat.h>

namespace keyhold {
namespace {

constexpr std::size_t kMaxName = 255;

void applyTo(std::map<std::string, ino_t> &entries, const EntryChange &change) {
    for (const auto &[name, inode] : change) {
        if (inode == 0)
            entries.erase(name);
        else
            entries[name] = inode;
    }
}

/// One throw of the dice decides a whole crash, so that the extremes are met often.
enum class Luck { nothingSurvives, namesSurvive, allSurvives, mixed };

Luck throwDice(std::mt19937_64 &rng) {
    switch (rng() % 8) {
    case 0:
        return Luck::nothingSurvives;
    case 1:
        return Luck::namesSurvive;
    case 2:
        return Luck::allSurvives;
    default:
        return Luck::mixed;
    }
}

/// Of what was appended to a synced file, only that can be lost.
std::size_t keptSize(const MemoryInode &file) {
    return file.content.starts_with(file.syncedContent) ? file.syncedContent.size() : 0;
}

void loseContent(MemoryInode &file, Luck luck, std::mt19937_64 &rng) {
    const std::size_t kept = keptSize(file);
    const std::size_t unsynced = file.content.size() - kept;
    switch (luck) {
    case Luck::nothingSurvives:
        file.content = file.syncedContent;
        return;
    case Luck::namesSurvive:
        file.content.resize(kept);
        return;
    case Luck::allSurvives:
        return;
    case Luck::mixed:
        break;
    }
    switch (rng() % 5) {
    case 0:
        file.content.resize(kept);
        break;
    case 1:
        file.content = file.syncedContent;
        break;
    case 2:
        file.content.resize(kept + rng() % (unsynced + 1));
        break;
    case 3:
        file.content.replace(kept, unsynced, unsynced, '\0');
        break;
    default:
        break;
    }
}

void loseEntries(MemoryInode &directory, Luck luck, std::mt19937_64 &rng, const PowerLoss &how) {
    directory.entries = directory.syncedEntries;
    std::vector<EntryChange> survivors;
    for (EntryChange &change : directory.unsyncedChanges) {
        if (luck == Luck::nothingSurvives || (luck == Luck::mixed && rng() % 2 == 0)) {
            if (!how.leaveGaps)
                break;
            continue;
        }
        if (how.splitRenames && change.size() == 2 && luck == Luck::mixed && rng() % 2 == 0)
            std::erase_if(change, [](const auto &entry) { return entry.second == 0; });
        survivors.push_back(std::move(change));
    }
    if (how.reorder && luck == Luck::mixed)
        std::shuffle(survivors.begin(), survivors.end(), rng);
    for (const EntryChange &change : survivors)
        applyTo(directory.entries, change);
}

} // namespace

MemoryDisk::MemoryDisk() {
    inodes_[kRoot].mode = S_IFDIR | 0755;
}

bool MemoryDisk::isDirectory(ino_t inode) const {
    return S_ISDIR(at(inode).mode);
}

Place MemoryDisk::locate(ino_t start, std::string_view path) const {
    Place place{.inode = path.starts_with('/') ? kRoot : start};
    if (path.empty())
        place.error = -ENOENT;
    for (std::size_t begin = 0; begin < path.size() && place.error == 0;) {
        std::size_t end = std::min(path.find('/', begin), path.size());
        std::string name(path.substr(begin, end - begin));
        begin = end + 1;
        if (name.empty() || name == ".")
            continue;
        if (place.inode == 0)
            place.error = -ENOENT;
        else if (!isDirectory(place.inode))
            place.error = S_ISLNK(at(place.inode).mode) ? -ENOENT : -ENOTDIR;
        else if (name == "..")
            place.error = -ENOSYS;
        else if (name.size() > kMaxName)
            place.error = -ENAMETOOLONG;
        if (place.error != 0)
            break;
        const auto &entries = at(place.inode).entries;
        auto found = entries.find(name);
        place.parent = place.inode;
        place.inode = found == entries.end() ? 0 : found->second;
        place.name = std::move(name);
    }
    return place;
}

void MemoryDisk::change(ino_t directory, EntryChange change) {
    MemoryInode &parent = at(directory);
    for (const auto &[name, inode] : change) {
        if (auto old = parent.entries.find(name); old != parent.entries.end()) {
            --at(old->second).links;
            touch(old->second);
        }
    }
    applyTo(parent.entries, change);
    for (const auto &[name, inode] : change) {
        if (inode != 0) {
            ++at(inode).links;
            touch(inode);
        }
    }
    touch(directory);
    parent.unsyncedChanges.push_back(std::move(change));
}

int MemoryDisk::checkNewEntry(const Place &place) const {
    if (place.error != 0)
        return place.error;
    const bool isRemoved = place.parent != kRoot && at(place.parent).links == 0;
    return isRemoved ? -ENOENT : 0;
}

void MemoryDisk::setMode(ino_t inode, mode_t mode) {
    mode_t &current = inodes_[inode].mode;
    current = (current & S_IFMT) | (mode & 07777);
    touch(inode);
}

int MemoryDisk::create(Place &place, mode_t mode) {
    if (int error = checkNewEntry(place); error != 0)
        return error;
    place.inode = next_++;
    inodes_[place.inode].mode = mode;
    inodes_[place.inode].isSynced = !S_ISREG(mode);
    change(place.parent, {{place.name, place.inode}});
    return 0;
}

void MemoryDisk::write(ino_t inode, std::size_t offset, std::string_view bytes) {
    MemoryInode &file = at(inode);
    if (file.content.size() < offset + bytes.size())
        file.content.resize(offset + bytes.size());
    file.content.replace(offset, bytes.size(), bytes);
    file.isSynced = false;
    touch(inode);
}

void MemoryDisk::resize(ino_t inode, std::size_t size) {
    at(inode).content.resize(size);
    at(inode).isSynced = false;
    touch(inode);
}

int MemoryDisk::sync(ino_t inode) {
    MemoryInode &node = at(inode);
    if (!S_ISREG(node.mode) && !S_ISDIR(node.mode))
        return -EINVAL;
    node.syncedContent = node.content;
    node.isSynced = true;
    node.syncedEntries = node.entries;
    node.unsyncedChanges.clear();
    return 0;
}

int MemoryDisk::rename(const Place &from, const Place &to) {
    if (from.error != 0 || from.inode == 0)
        return from.error != 0 ? from.error : -ENOENT;
    if (from.parent == 0 || to.parent == 0)
        return to.error != 0 ? to.error : -EBUSY;
    if (int error = checkNewEntry(to); error != 0)
        return error;
    if (from.inode == to.inode)
        return 0;
    if (to.inode != 0 && isDirectory(to.inode) != isDirectory(from.inode))
        return isDirectory(to.inode) ? -EISDIR : -ENOTDIR;
    if (to.inode != 0 && !at(to.inode).entries.empty())
        return -ENOTEMPTY;
    change(from.parent, {{from.name, 0}, {to.name, from.inode}});
    return 0;
}

int MemoryDisk::link(const Place &from, const Place &to) {
    if (from.error != 0 || from.inode == 0)
        return from.error != 0 ? from.error : -ENOENT;
    if (to.error != 0 || to.inode != 0)
        return to.error != 0 ? to.error : -EEXIST;
    if (int error = checkNewEntry(to); error != 0)
        return error;
    if (isDirectory(from.inode))
        return -EPERM;
    change(to.parent, {{to.name, from.inode}});
    return 0;
}

int MemoryDisk::unlink(const Place &place) {
    if (place.error != 0 || place.inode == 0)
        return place.error != 0 ? place.error : -ENOENT;
    if (isDirectory(place.inode))
        return -EISDIR;
    change(place.parent, {{place.name, 0}});
    return 0;
}

int MemoryDisk::removeAll(const Place &place) {
    if (place.error != 0 || place.inode == 0)
        return place.error != 0 ? place.error : -ENOENT;
    const auto entries = at(place.inode).entries;
    for (const auto &[name, inode] : entries)
        removeAll({.parent = place.inode, .name = name, .inode = inode});
    if (place.parent == 0)
        return -EBUSY;
    change(place.parent, {{place.name, 0}});
    return sync(place.parent);
}

bool MemoryDisk::allSynced(ino_t directory) const {
    const MemoryInode &node = at(directory);
    return node.isSynced && node.unsyncedChanges.empty() &&
           std::all_of(node.entries.begin(), node.entries.end(),
                       [&](const auto &entry) { return allSynced(entry.second); });
}

void MemoryDisk::syncAll() {
    for (auto &[number, inode] : inodes_)
        sync(number);
}

void MemoryDisk::losePower(std::mt19937_64 &rng, const PowerLoss &how) {
    const Luck luck = throwDice(rng);
    for (auto &[number, inode] : inodes_) {
        if (!inode.isSynced)
            loseContent(inode, luck, rng);
        loseEntries(inode, luck, rng, how);
    }
    syncAll();
    collectGarbage();
}

/// Drops what no name leads to, and counts the names of the rest.
void MemoryDisk::collectGarbage() {
    std::map<ino_t, nlink_t> links{{kRoot, 0}};
    std::vector<ino_t> waiting{kRoot};
    while (!waiting.empty()) {
        ino_t inode = waiting.back();
        waiting.pop_back();
        for (const auto &[name, child] : at(inode).entries)
            if (++links[child] == 1)
                waiting.push_back(child);
    }
    std::erase_if(inodes_, [&](const auto &entry) { return !links.contains(entry.first); });
    for (auto &[number, inode] : inodes_)
        inode.links = links[number];
}

} // namespace keyhold
