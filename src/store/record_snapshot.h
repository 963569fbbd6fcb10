// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/record.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace keyhold {

/// Asks the processor for the lines of a record that lists and tables read; null: for nothing.
inline void prefetchRecord(const Record *record) noexcept {
    const auto *bytes = reinterpret_cast<const char *>(record);
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
}

/// Neighbouring places of a RecordTable; null: empty.
using RecordChunk = std::array<RecordPtr, 32>;

/// All records of one moment, in no particular order. For the time of one call: as long as it
/// lives, changes of its table cost more, and records that have gone stay in memory.
class RecordSnapshot {
  public:
    /// How many snapshots of a table there are; a count of zero happens after all their reads.
    using Count = std::shared_ptr<std::atomic<std::size_t>>;
    using Chunks = std::vector<std::shared_ptr<RecordChunk>>;

    class Iterator {
      public:
        using value_type = RecordPtr;
        using reference = const RecordPtr &;
        using pointer = const RecordPtr *;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;

        Iterator() = default;
        Iterator(const Chunks &chunks, std::size_t place)
            : chunks_(&chunks),
              place_(place),
              end_(placesOf(chunks)) {
            skipEmpty();
        }
        reference operator*() const { return at(place_); }
        pointer operator->() const { return &at(place_); }
        Iterator &operator++();
        Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator &other) const { return place_ == other.place_; }

      private:
        [[nodiscard]] reference at(std::size_t place) const;
        void skipEmpty();

        const Chunks *chunks_ = nullptr;
        std::size_t place_ = 0;
        std::size_t end_ = 0;
    };
    using value_type = RecordPtr;
    using const_iterator = Iterator;

    /// Of `size` records. Raises bad_alloc.
    RecordSnapshot(const Chunks &chunks, std::size_t size, Count count)
        : chunks_(chunks),
          size_(size),
          count_(std::move(count)) {
        count_->fetch_add(1, std::memory_order_relaxed);
    }
    ~RecordSnapshot() { count_->fetch_sub(1, std::memory_order_release); }
    RecordSnapshot(const RecordSnapshot &) = delete;
    RecordSnapshot &operator=(const RecordSnapshot &) = delete;

    [[nodiscard]] Iterator begin() const { return {chunks_, 0}; }
    [[nodiscard]] Iterator end() const { return {chunks_, placesOf(chunks_)}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  private:
    [[nodiscard]] static std::size_t placesOf(const Chunks &chunks) noexcept {
        return chunks.size() * std::tuple_size_v<RecordChunk>;
    }

    Chunks chunks_;
    std::size_t size_;
    Count count_;
};

inline RecordSnapshot::Iterator::reference RecordSnapshot::Iterator::at(std::size_t place) const {
    constexpr std::size_t kSize = std::tuple_size_v<RecordChunk>;
    return (*(*chunks_)[place / kSize])[place % kSize];
}

inline RecordSnapshot::Iterator &RecordSnapshot::Iterator::operator++() {
    ++place_;
    skipEmpty();
    return *this;
}

inline void RecordSnapshot::Iterator::skipEmpty() {
    // Records lie anywhere in memory, and so do the texts they refer to: ask for both while the
    // caller is busy with those before.
    constexpr std::size_t kRecordsAhead = 8;
    constexpr std::size_t kTextsAhead = 4;
    if (place_ + kRecordsAhead < end_)
        prefetchRecord(at(place_ + kRecordsAhead).get());
    if (place_ + kTextsAhead < end_) {
        if (const Record *const record = at(place_ + kTextsAhead).get())
            __builtin_prefetch(record->definition.usage.id.data());
    }
    while (place_ != end_ && !at(place_))
        ++place_;
}

} // namespace keyhold
