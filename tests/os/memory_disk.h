// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace keyhold {

/// One change of a directory that a disk makes as a whole: names, and the inode each then stands
/// for; 0 for none. A rename has two names.
using EntryChange = std::vector<std::pair<std::string, ino_t>>;

/// What is on the disk, and what only the memory of the running system has.
struct MemoryInode {
    mode_t mode = 0; ///< type and permissions
    nlink_t links = 0;
    std::int64_t changed = 0; ///< nanoseconds; no two changes have the same

    std::string content;       ///< of a regular file, as a reader sees it
    std::string syncedContent; ///< what survives a power loss for certain
    bool isSynced = true;      ///< the two agree

    std::map<std::string, ino_t> entries; ///< of a directory, as a reader sees it
    std::map<std::string, ino_t> syncedEntries;
    std::vector<EntryChange> unsyncedChanges; ///< since the last sync, in order
};

/// Where a path leads.
struct Place {
    int error = 0;      ///< 0, or -errno: a directory on the way is missing or is none
    ino_t parent = 0;   ///< 0 if the path is the start itself
    std::string name{}; ///< last component
    ino_t inode = 0;    ///< 0 if there is nothing of that name
};

/// How cruel a power loss is. Each unsynced change of a directory may have happened or not; each
/// unsynced file may be empty, as it was, a prefix, full, or zeros; one that was only appended to
/// keeps what was synced.
struct PowerLoss {
    bool reorder = true;       ///< the changes that happened may have done so in any order
    bool leaveGaps = true;     ///< a change may be lost of which a later one happened
    bool splitRenames = false; ///< a rename may leave both names, as no journalling disk does
};

/// A tree of files as a value: copies are snapshots. Not thread-safe; results are as those of the
/// system calls, 0 or -errno.
class MemoryDisk {
  public:
    static constexpr ino_t kRoot = 1;

    MemoryDisk();

    [[nodiscard]] Place locate(ino_t start, std::string_view path) const;
    [[nodiscard]] bool isDirectory(ino_t inode) const;
    [[nodiscard]] MemoryInode &at(ino_t inode) { return inodes_.at(inode); }
    [[nodiscard]] const MemoryInode &at(ino_t inode) const { return inodes_.at(inode); }

    /// Adds an entry for a new inode, neither it nor the content of a file synced, and sets
    /// `place.inode`.
    int create(Place &place, mode_t mode);
    void setMode(ino_t inode, mode_t mode);
    void write(ino_t inode, std::size_t offset, std::string_view bytes);
    void resize(ino_t inode, std::size_t size);
    int sync(ino_t inode);
    int rename(const Place &from, const Place &to);
    int link(const Place &from, const Place &to);
    int unlink(const Place &place);
    /// Removes a file, or a directory and all that is in it, durably.
    int removeAll(const Place &place);

    /// True if no change in the directory or of a file or directory below waits for a sync.
    [[nodiscard]] bool allSynced(ino_t directory) const;
    /// Makes all durable at once.
    void syncAll();
    void losePower(std::mt19937_64 &rng, const PowerLoss &how);

  private:
    void touch(ino_t inode) { at(inode).changed = ++clock_; }
    void change(ino_t directory, EntryChange change);
    /// 0, or -errno if the directory of `place` takes no new entry.
    [[nodiscard]] int checkNewEntry(const Place &place) const;
    void collectGarbage();

    std::map<ino_t, MemoryInode> inodes_;
    ino_t next_ = kRoot + 1;
    std::int64_t clock_ = 0;
};

} // namespace keyhold
