// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// How a file system behaves once the disk below it has failed. Nothing gets to the disk any more,
/// and fsync answers 0 all the same.
enum class DiskLoss {
    shutDown, ///< as XFS: every other call answers EIO, but fstatvfs
    readOnly, ///< as btrfs: calls that change something answer EROFS, all others work
};

} // namespace keyhold
