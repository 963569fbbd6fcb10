// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/record_snapshot.h"

namespace keyhold {

RecordSnapshot::Iterator::Iterator(const Chunks &chunks, std::size_t place)
    : chunks_(&chunks),
      place_(place),
      end_(chunks.size() * std::tuple_size_v<RecordChunk>) {
    skipEmpty();
}

RecordSnapshot::Iterator RecordSnapshot::Iterator::operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
}

RecordSnapshot::RecordSnapshot(const Chunks &chunks, std::size_t size, Count count)
    : chunks_(chunks),
      size_(size),
      count_(std::move(count)) {
    count_->fetch_add(1, std::memory_order_relaxed);
}

RecordSnapshot::~RecordSnapshot() {
    count_->fetch_sub(1, std::memory_order_release);
}

RecordSnapshot::Iterator RecordSnapshot::end() const {
    return {chunks_, chunks_.size() * std::tuple_size_v<RecordChunk>};
}

} // namespace keyhold
