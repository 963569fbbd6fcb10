// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/free_space.h"

#include <sys/statvfs.h>

namespace keyhold::command {

namespace {

constexpr std::uint64_t kKiB = 1024;
/// A change writes two files of a few KiB.
constexpr std::uint64_t kFullBytes = 64 * kKiB;
constexpr std::uint64_t kManyBytes = 64 * kKiB * kKiB;
constexpr std::uint64_t kFullInodes = 8;
constexpr std::uint64_t kManyInodes = 1000;

bool isLittle(std::uint64_t have, std::uint64_t all, std::uint64_t many) {
    constexpr std::uint64_t kTwentieth = 20;
    return have < many && have < all / kTwentieth;
}

} // namespace

std::optional<FreeSpace> freeSpaceAt(const std::string &directory) {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0)
        return std::nullopt;
    return FreeSpace{status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize,
                     status.f_favail, status.f_files};
}

std::vector<Finding> findingsOf(const FreeSpace &space, const std::string &directory) {
    using Kind = Finding::Kind;
    std::vector<Finding> found;
    // A file system without blocks is one that does not count them.
    if (space.allBytes > 0) {
        const std::string left = std::to_string(space.bytes / kKiB) + " KiB left for new values";
        if (space.bytes < kFullBytes)
            found.push_back({Kind::full, directory, "is on a file system with " + left});
        else if (isLittle(space.bytes, space.allBytes, kManyBytes))
            found.push_back({Kind::space, directory, "is on a file system with " + left});
    }
    if (space.allInodes > 0) {
        const std::string left = std::to_string(space.inodes) + " inodes left for new files";
        if (space.inodes < kFullInodes)
            found.push_back({Kind::full, directory, "is on a file system with " + left});
        else if (isLittle(space.inodes, space.allInodes, kManyInodes))
            found.push_back({Kind::space, directory, "is on a file system with " + left});
    }
    return found;
}

} // namespace keyhold::command
