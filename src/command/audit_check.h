// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "command/audit_file.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// A place where a trail is not as it was written.
struct TrailBreak {
    enum class Kind {
        chain,     ///< a record is not the one that its chain was made of
        seal,      ///< a seal is wrong, or is not there
        sequence,  ///< records are not there, or come again
        beginning, ///< what came before the first record cannot be known
        torn,      ///< a last line without an end
        notRecord, ///< a line that is no record
        cut,       ///< records at the end are not there
        file,      ///< a file cannot be read to its end
    };
    Kind kind;
    std::string file;
    std::uint64_t line = 0;   ///< 0 if it is of no line
    std::uint64_t record = 0; ///< its sequence; 0 if it is of no record
    std::string text;         ///< begins with a verb
};
[[nodiscard]] const char *nameOf(TrailBreak::Kind kind) noexcept;

/// How much is proven of a trail; each but the last says that no break was found.
enum class TrailVerdict {
    intact,   ///< by a key and a head: what was sealed is there up to the head, and is authentic
    sealed,   ///< by a key: what is there is authentic; its end may have been cut off
    unbroken, ///< by the trail itself: whoever can write the file can have replaced all of it
    broken,
};
[[nodiscard]] const char *nameOf(TrailVerdict verdict) noexcept;

/// Checks a trail, record by record from the oldest on, in constant memory. After a break it goes
/// on from the next record as if that were right.
class TrailCheck {
  public:
    /// Keys in the order of their sequences; each counts from its own up to that of the next.
    TrailCheck(std::vector<audit::SealingKey> keys, std::optional<audit::Head> head);

    void beginFile(const std::string &path);
    void add(const TrailLine &line);
    /// The file that was begun last cannot be read to its end.
    void addDamage(const std::string &text);
    /// To be called once, after the last line.
    void finish();

    struct Result {
        static constexpr std::size_t kMaxBreaks = 20;
        std::vector<TrailBreak> breaks; ///< the first ones
        std::uint64_t breakCount = 0;
        std::uint64_t records = 0;
        std::uint64_t first = 0; ///< sequence of the first record; 0 if there is none
        audit::Head last;
        std::uint64_t sealedFrom = 0; ///< the first record with a seal; 0 if there is none
        std::uint64_t provenFrom = 0; ///< the first record whose seal was checked and is right
        std::uint64_t provenTo = 0;   ///< the last one
        bool hasHead = false;         ///< the head was given and is in the trail
        std::uint64_t lost = 0; ///< records that the driver could not write, as the trail says
    };
    [[nodiscard]] const Result &result() const noexcept { return result_; }
    [[nodiscard]] TrailVerdict verdict() const noexcept;

  private:
    using Kind = TrailBreak::Kind;

    void addBreak(Kind kind, std::string text, std::uint64_t record = 0);
    void checkPlace(const audit::Line &line, std::uint64_t sequence);
    void checkGap(const audit::Line &line, std::uint64_t sequence);
    void checkSeal(const audit::Line &line, std::uint64_t sequence);
    void checkHead(const audit::Line &line, std::uint64_t sequence);
    void countLost(std::string_view record);
    [[nodiscard]] audit::SealingKey *keyFor(std::uint64_t sequence);

    std::vector<audit::SealingKey> keys_;
    std::size_t key_ = 0;       ///< of those before it no record comes any more
    std::uint64_t skipped_ = 0; ///< records that keys had to go on for and that are not here
    const std::uint64_t lastKeyFrom_;
    const std::optional<audit::Head> head_;
    bool isHeadSeen_ = false;
    std::string file_;
    std::uint64_t line_ = 0;
    Result result_;
};

} // namespace keyhold::command
