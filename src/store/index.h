// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "os/shared_mutex.h"
#include "store/change.h"
#include "store/record_table.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace keyhold {

/// The use of a secret belongs to another one.
class UseTakenError : public Error {
  public:
    explicit UseTakenError(const Uuid &owner, const Usage &usage,
                           SourcePlace place = SourcePlace::current());

    [[nodiscard]] const Uuid &owner() const noexcept { return owner_; }

  private:
    Uuid owner_;
};

/// The live set of secrets: uuid to record, and use to uuid. Owns its lock and never hands out
/// anything that is locked. Readers take records; writers work through IndexWriter.
class Index {
  public:
    Index();
    Index(const Index &) = delete;
    Index &operator=(const Index &) = delete;

    /// Null if there is none.
    [[nodiscard]] RecordPtr find(const Uuid &uuid) const;
    /// Null if there is none; always null for usage type none.
    [[nodiscard]] RecordPtr find(const Usage &usage) const;
    [[nodiscard]] RecordSnapshot all() const;
    [[nodiscard]] std::size_t ephemeralCount() const;
    /// Makes a live set that has no secrets and no writers yet of the records of a load; null ones
    /// are passed over. In their order: one whose use is taken is told to `refused` and
    /// left out.
    void fill(std::span<const RecordPtr> records,
              const std::function<void(const Uuid &uuid, const UseTakenError &error)> &refused);
    /// Takes the changes that were published since the last call, in the order of publication.
    [[nodiscard]] std::list<Change> takeChanges();

  private:
    friend class IndexWriter;

    using Records = std::span<const RecordPtr>;
    using Refused = std::function<void(const Uuid &, const UseTakenError &)>;

    struct UsageEntry {
        Uuid uuid;
        bool isPublished;
        RecordTable::Place place;
    };

    /// Fills one table on each processor; false, and the live set is empty again, if two records
    /// have one uuid or one use: then their order counts.
    bool fillAtOnce(Records records) REQUIRES(mutex_);
    void fillInOrder(Records records, const Refused &refused) REQUIRES(mutex_);

    mutable SharedMutex mutex_;
    std::condition_variable_any writerLeft_;
    std::unordered_set<Uuid, UuidHash> busy_ GUARDED_BY(mutex_); // uuids with a writer
    RecordTable records_ GUARDED_BY(mutex_); // an empty place: reserved, unseen by readers
    std::unordered_map<Uuid, RecordTable::Place, UuidHash> places_ GUARDED_BY(mutex_);
    std::unordered_map<Usage, UsageEntry, UsageHash> usages_ GUARDED_BY(mutex_);
    std::list<Change> changes_ GUARDED_BY(mutex_);
    std::size_t ephemeral_ GUARDED_BY(mutex_) = 0;
};

/// The one writer of one uuid: waits until the uuid has no other, and holds it until destroyed.
/// What it reserves is invisible to readers and refused to other writers until published or given
/// back. It publishes or withdraws once at most.
class IndexWriter {
  public:
    IndexWriter(Index &index, const Uuid &uuid);
    ~IndexWriter();
    IndexWriter(const IndexWriter &) = delete;
    IndexWriter &operator=(const IndexWriter &) = delete;

    /// The published record; null if there is none.
    [[nodiscard]] const RecordPtr &current() const noexcept { return current_; }

    /// Checks a definition of this uuid against the live set and reserves what it needs, so that
    /// publish() cannot fail. Raises internal with the stock driver's texts: the uuid is defined
    /// for another use, the use belongs to another uuid, private would become public.
    void reserve(const SecretDefinition &next);

    /// Makes `next` the record of this uuid and appends `changes`, in one step. The definition must
    /// have been reserved unless it equals the current one's uses.
    void publish(RecordPtr next, std::list<Change> changes) noexcept;
    /// Takes the uuid and its use out of the live set.
    void withdraw(std::list<Change> changes) noexcept;

  private:
    void dropReservation() noexcept REQUIRES(index_.mutex_);

    Index &index_;
    Uuid uuid_;
    RecordTable::Spare spare_ = RecordTable::makeSpare();
    RecordPtr current_;
    RecordTable::Place place_ = 0; // of current_, or reserved
    bool hasReservedUuid_ = false;
    Usage reservedUsage_; // type none: nothing reserved
};

} // namespace keyhold
