// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "directory/store_files.h"

#include <cstdint>

namespace keyhold {

/// Fills a store with every kind of file that two readers might see differently: each form of a
/// value good, empty, blank, damaged, under another key, of another secret, no regular file;
/// several forms of one value; definitions that cannot be read; orphans, copies, what interrupted
/// changes leave. Each is on a uuid of its own, StoreFiles::uuid(1) to uuid(size()). A value that
/// can be read says which file it is from: "sealed", "old value" (what libvirt encrypted), or
/// another.
class StoreCorpus {
  public:
    static constexpr std::uint8_t kKey = 1; ///< of what libvirt encrypted and of most sealed values
    static constexpr std::uint8_t kOtherKey = 2;

    explicit StoreCorpus(const StoreFiles &store);

    [[nodiscard]] int size() const { return size_; }

  private:
    int size_;
};

} // namespace keyhold
