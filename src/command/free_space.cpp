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

/// Something that a file system may run out of.
struct Resource {
    Finding::Kind ifNone;
    Finding::Kind ifLittle;
    std::uint64_t none; ///< below that a change may fail
    std::uint64_t many; ///< not little, whatever the share
    std::uint64_t unit;
    const char *text;
};

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
    const auto judge = [&](const Resource &resource, std::uint64_t left, std::uint64_t all) {
        // A file system without blocks or inodes is one that does not count them.
        if (all == 0)
            return;
        const bool isNone = left < resource.none;
        if (isNone || isLittle(left, all, resource.many))
            found.push_back({isNone ? resource.ifNone : resource.ifLittle, directory,
                             "is on a file system with " + std::to_string(left / resource.unit) +
                                 resource.text});
    };
    judge({Kind::noSpace, Kind::littleSpace, kFullBytes, kManyBytes, kKiB,
           " KiB left for new values; make room there"},
          space.bytes, space.allBytes);
    judge({Kind::noInodes, Kind::fewInodes, kFullInodes, kManyInodes, 1,
           " inodes left for new files; remove files there, whatever their size"},
          space.inodes, space.allInodes);
    return found;
}

} // namespace keyhold::command
