// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail_file.h"
#include "audit/trail_key.h"
#include "audit/trail_state.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold::audit {

/// What the thread of a trail does. It alone touches the file and the key.
class TrailWriter {
  public:
    /// Raises bad_alloc; what it does later needs no memory to be answered.
    explicit TrailWriter(TrailState &state);

    /// Until the trail is stopped.
    void run() noexcept;

  private:
    struct Batch {
        std::vector<EntryPtr> entries;
        std::vector<EntryPtr> late; ///< the first ones of the backlog
        std::uint64_t lost = 0;
        bool mustReopen = false;
    };

    /// Waits for work. False if there is none and the trail is stopped.
    [[nodiscard]] bool next() noexcept;
    /// Writes the batch and answers who waits for it.
    void write() noexcept;
    void commit();
    void openFile();
    /// Once: what an earlier process has left there, and has not written, comes first.
    void openSpool();
    void saveKey() noexcept;
    void finish() noexcept;
    /// The call of a written record has not waited for it: another record says what became of it.
    void correct(const EntryPtr &entry) noexcept REQUIRES(state_.mutex);
    void fail(const FailurePtr &failure) noexcept;
    [[nodiscard]] FailurePtr kept(const Error &error) const noexcept;
    void logRecovery() noexcept;
    void logFailure(const Error &why) noexcept;
    /// What ends with the process, to the log, and to the spool for the next one.
    void reportLost();
    /// Adds a record of ours, or of a call, to the text that is written next.
    void add(std::string &text, const Record &record);
    void addText(std::string &text, std::string_view record);

    TrailState &state_;
    Batch batch_;
    std::optional<TrailFile> file_;
    bool hasBegun_ = false;         // a record was written, and head_ is that of the trail
    bool wasCut_ = false;           // somebody has taken records out of the file
    std::uint64_t begunBehind_ = 0; // the record before the first one of the file
    Head head_;                     // of what is written
    Head next_;                     // behind what is added
    std::vector<Record> ahead_;     // records of ours that come first
    std::vector<std::string> left_; // records of the process before this one
    bool hasLookedForSpool_ = false;
    TrailKey key_;
    bool mustPoll_ = false; // others may have left records since, without a word
};

} // namespace keyhold::audit
