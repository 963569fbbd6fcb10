// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/record_table.h"

#include <numeric>

namespace keyhold {

RecordTable::Place RecordTable::take() {
    if (free_.empty()) {
        const std::size_t places = chunks_.size() * kChunkSize;
        if (free_.capacity() < places + kChunkSize)
            free_.reserve(2 * (places + kChunkSize));
        chunks_.push_back(makeSpare());
        free_.resize(kChunkSize);
        std::iota(free_.rbegin(), free_.rend(), static_cast<Place>(places));
    }
    const Place place = free_.back();
    free_.pop_back();
    return place;
}

void RecordTable::put(Place place, const RecordPtr &record) noexcept {
    (*chunks_[place / kChunkSize])[place % kChunkSize] = record;
    ++size_;
}

void RecordTable::clear() noexcept {
    chunks_.clear();
    free_.clear();
    size_ = 0;
}

void RecordTable::exchange(Place place, RecordPtr &record, Spare &spare) noexcept {
    std::shared_ptr<RecordChunk> &chunk = chunks_[place / kChunkSize];
    // No new snapshot can come while the caller holds the lock.
    if (snapshots_->load(std::memory_order_acquire) != 0) {
        *spare = *chunk;
        chunk.swap(spare);
    }
    RecordPtr &present = (*chunk)[place % kChunkSize];
    size_ += (record ? 1 : 0);
    size_ -= (present ? 1 : 0);
    present.swap(record);
}

} // namespace keyhold
