// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/record_snapshot.h"

#include <cstdint>

namespace keyhold {

/// Records in numbered places. The caller holds a lock: shared for const members, exclusive for the
/// others. Snapshots are read without it: while there is one, a change replaces the chunk by a
/// changed copy. So a list holds references to chunks, not to each record.
class RecordTable {
  public:
    using Place = std::uint32_t;
    /// Room for the copy of a chunk. Who may make a change has it ready: the change cannot fail.
    using Spare = std::shared_ptr<RecordChunk>;
    [[nodiscard]] static Spare makeSpare() { return std::make_shared<RecordChunk>(); }

    /// An empty place that nobody else gets until it is given back, empty. Raises bad_alloc.
    [[nodiscard]] Place take();
    void giveBack(Place place) noexcept { free_.push_back(place); }

    /// Null if the place is empty.
    [[nodiscard]] const RecordPtr &at(Place place) const noexcept {
        return (*chunks_[place / kChunkSize])[place % kChunkSize];
    }
    /// Puts a record in an empty place of a table of which there is no snapshot.
    void put(Place place, const RecordPtr &record) noexcept;
    /// Empties a table of which there is no snapshot; all places are free.
    void clear() noexcept;
    /// Puts `record`, null for none, in the place. What was there is in `record` afterwards, and
    /// what else has to be released in `spare`, so that the caller does that without the lock.
    void exchange(Place place, RecordPtr &record, Spare &spare) noexcept;

    [[nodiscard]] RecordSnapshot snapshot() const { return {chunks_, size_, snapshots_}; }

  private:
    static constexpr std::size_t kChunkSize = std::tuple_size_v<RecordChunk>;

    RecordSnapshot::Chunks chunks_;
    std::vector<Place> free_; // has room for every place
    std::size_t size_ = 0;    // places that are not empty
    const RecordSnapshot::Count snapshots_ = std::make_shared<std::atomic<std::size_t>>(0);
};

} // namespace keyhold
