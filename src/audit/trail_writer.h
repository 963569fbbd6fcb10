// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail_file.h"
#include "audit/trail_state.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold::audit {

/// What the thread of a trail does. It alone touches the file and the key.
class TrailWriter {
  public:
    explicit TrailWriter(TrailState &state) : state_(state) {}

    /// Until the trail is stopped.
    void run() noexcept;

  private:
    struct Batch {
        std::vector<EntryPtr> entries;
        std::vector<Record> late; ///< copies of the first ones of the backlog
        std::uint64_t lost = 0;
        bool mustReopen = false;
    };

    /// Waits for work. Empty if there is none and the trail is stopped.
    [[nodiscard]] std::optional<Batch> next();
    /// Writes a batch and answers who waits for it.
    void write(Batch &batch) noexcept;
    void commit(const Batch &batch, std::vector<std::uint64_t> &sequences);
    void openFile();
    /// Once: what an earlier process has left there, and has not written, comes first.
    void openSpool();
    /// Takes the key, if there is none yet. Returns the last record that was written when it was
    /// kept.
    std::optional<Head> readKey();
    void saveKey() noexcept;
    void finish(Batch &batch, const std::vector<std::uint64_t> &sequences);
    void fail(Batch &batch, const Error &why);
    /// Adds a record of ours, or of a call, to the text that is written next.
    std::uint64_t add(std::string &text, const Record &record);
    void addText(std::string &text, std::string_view record);

    TrailState &state_;
    std::optional<TrailFile> file_;
    bool hasBegun_ = false;         // a record was written, and head_ is that of the trail
    Head head_;                     // of what is written
    Head next_;                     // behind what is added
    std::vector<Record> ahead_;     // records of ours that come first
    std::vector<std::string> left_; // records of the process before this one
    bool hasLookedForSpool_ = false;
    std::optional<SealingKey> key_;
    std::string toldKey_;
    Deadline::Clock::time_point saved_{};
    bool mustSaveKey_ = false;
    bool mustPoll_ = false; // others may have left records since, without a word
};

} // namespace keyhold::audit
