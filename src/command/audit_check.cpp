// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_check.h"

#include "audit/record.h"
#include "command/output.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

using audit::Digest;
using audit::Line;

/// A key goes on by one SHA-256 for each record, also for those that are not here. More of these
/// would take minutes, and are the work of somebody who invented a sequence.
constexpr std::uint64_t kMaxSkipped = std::uint64_t{1} << 30;

/// A member below "keyhold" of a record without its closing brace; null if there is none.
Json ours(std::string_view record, const char *name) {
    const Json json = Json::parse(std::string(record) + "}", nullptr, false);
    if (!json.is_object())
        return {};
    const auto own = json.find("keyhold");
    if (own == json.end() || !own->is_object() || !own->contains(name))
        return {};
    return own->at(name);
}

/// What the chain was before the record, as the first record of a file says it.
std::optional<Digest> previousChainOf(std::string_view record) {
    const Json text = ours(record, "previousChain");
    return text.is_string() ? audit::digestOf(text.get<std::string>()) : std::nullopt;
}

std::string rangeText(std::uint64_t first, std::uint64_t last) {
    return first == last
               ? "record " + std::to_string(first) + " is"
               : "records " + std::to_string(first) + " to " + std::to_string(last) + " are";
}

} // namespace

const char *nameOf(TrailBreak::Kind kind) noexcept {
    using Kind = TrailBreak::Kind;
    switch (kind) {
    case Kind::chain:
        return "chain";
    case Kind::seal:
        return "seal";
    case Kind::sequence:
        return "sequence";
    case Kind::beginning:
        return "beginning";
    case Kind::torn:
        return "torn";
    case Kind::notRecord:
        return "no-record";
    case Kind::cut:
        return "cut";
    case Kind::file:
        break;
    }
    return "file";
}

const char *nameOf(TrailVerdict verdict) noexcept {
    switch (verdict) {
    case TrailVerdict::intact:
        return "intact";
    case TrailVerdict::sealed:
        return "sealed";
    case TrailVerdict::unbroken:
        return "unbroken";
    case TrailVerdict::broken:
        break;
    }
    return "broken";
}

TrailCheck::TrailCheck(std::vector<audit::SealingKey> keys, std::optional<audit::Head> head)
    : keys_(std::move(keys)),
      lastKeyFrom_(keys_.empty() ? 0 : keys_.back().sequence()),
      head_(head) {}

void TrailCheck::beginFile(const std::string &path) {
    file_ = path;
    line_ = 0;
}

void TrailCheck::add(const TrailLine &line) {
    line_ = line.number;
    if (!line.hasEnd)
        return addBreak(Kind::torn, "has no newline at its end: a crash can leave a last line so");
    if (line.isTooLong)
        return addBreak(Kind::notRecord, "is longer than any record");
    const auto parsed = audit::parseLine(line.text);
    const auto sequence = parsed ? audit::sequenceOf(parsed->record) : std::nullopt;
    if (!sequence || *sequence == 0)
        return addBreak(Kind::notRecord, "is no record of an audit trail");
    checkPlace(*parsed, *sequence);
    checkSeal(*parsed, *sequence);
    checkHead(*parsed, *sequence);
    countLost(parsed->record);
    result_.last = {*sequence, parsed->chain};
    ++result_.records;
}

void TrailCheck::addDamage(const std::string &text) {
    line_ = 0;
    addBreak(Kind::file, text);
}

void TrailCheck::finish() {
    line_ = 0;
    const std::uint64_t last = result_.last.sequence;
    if (head_ && !isHeadSeen_ && head_->sequence > last)
        addBreak(Kind::cut, "ends with record " + std::to_string(last) +
                                ", and the head is that of record " +
                                std::to_string(head_->sequence) +
                                ": the end was cut off, or the head is of "
                                "another trail");
    if (lastKeyFrom_ > last + 1)
        addBreak(Kind::cut, "ends with record " + std::to_string(last) +
                                ", and a key begins with record " + std::to_string(lastKeyFrom_) +
                                ": the end was cut off, or the key "
                                "is of another trail");
}

TrailVerdict TrailCheck::verdict() const noexcept {
    if (result_.breakCount > 0)
        return TrailVerdict::broken;
    if (result_.provenFrom == 0)
        return TrailVerdict::unbroken;
    return result_.hasHead && head_->sequence <= result_.provenTo ? TrailVerdict::intact
                                                                  : TrailVerdict::sealed;
}

void TrailCheck::addBreak(Kind kind, std::string text, std::uint64_t record) {
    ++result_.breakCount;
    if (result_.breaks.size() < Result::kMaxBreaks)
        result_.breaks.push_back({kind, file_, line_, record, std::move(text)});
}

void TrailCheck::checkPlace(const Line &line, std::uint64_t sequence) {
    if (result_.first == 0)
        result_.first = sequence;
    const std::uint64_t last = result_.last.sequence;
    if (sequence != last + 1)
        return checkGap(line, sequence);
    if (audit::chainOf(result_.last.chain, line.record) == line.chain)
        return;
    const auto previous = previousChainOf(line.record);
    if (previous && audit::chainOf(*previous, line.record) == line.chain)
        addBreak(Kind::chain,
                 "goes on from another record " + std::to_string(last) +
                     " than the one before it, which was edited or swapped",
                 sequence);
    else
        addBreak(Kind::chain,
                 "does not match its chain: it was edited, or the one before it was edited, "
                 "deleted or swapped",
                 sequence);
}

void TrailCheck::checkGap(const Line &line, std::uint64_t sequence) {
    const std::uint64_t last = result_.last.sequence;
    if (sequence <= last) {
        const bool isNew = sequence == 1 && audit::chainOf(Digest{}, line.record) == line.chain;
        addBreak(Kind::sequence,
                 "comes after record " + std::to_string(last) +
                     (isNew ? ": another trail begins here" : ": it is there again, or was moved"),
                 sequence);
        return;
    }
    const auto previous = previousChainOf(line.record);
    const bool isRight = previous && audit::chainOf(*previous, line.record) == line.chain;
    // The oldest files may be gone, as rotation has it, and the next one says how it goes on.
    if (last == 0 && result_.records == 0) {
        if (!isRight)
            addBreak(Kind::beginning,
                     "is the first one here, and no file begins with it: records before it were "
                     "deleted",
                     sequence);
        return;
    }
    addBreak(Kind::sequence,
             "comes after record " + std::to_string(last) + ": " +
                 rangeText(last + 1, sequence - 1) + " not here" +
                 (isRight ? ", as the driver had it when it wrote this record" : ""),
             sequence);
}

audit::SealingKey *TrailCheck::keyFor(std::uint64_t sequence) {
    while (key_ + 1 < keys_.size() && keys_[key_ + 1].sequence() <= sequence)
        ++key_;
    if (key_ >= keys_.size() || keys_[key_].sequence() > sequence)
        return nullptr;
    return &keys_[key_];
}

void TrailCheck::checkSeal(const Line &line, std::uint64_t sequence) {
    if (line.seal && result_.sealedFrom == 0)
        result_.sealedFrom = sequence;
    audit::SealingKey *const key = keyFor(sequence);
    if (!line.seal) {
        if (key || result_.sealedFrom != 0)
            addBreak(Kind::seal,
                     key ? "has no seal"
                         : "has no seal, and record " + std::to_string(result_.sealedFrom) +
                               " has one",
                     sequence);
        return;
    }
    if (!key)
        return;
    const std::uint64_t skipped = sequence - key->sequence();
    if (skipped > kMaxSkipped - skipped_)
        return addBreak(Kind::seal, "is too far from the key to check its seal", sequence);
    skipped_ += skipped > 1 ? skipped : 0;
    key->advanceTo(sequence);
    if (key->seal(line.chain) != *line.seal)
        return addBreak(Kind::seal, "has a wrong seal: it was not written with this key", sequence);
    if (result_.provenFrom == 0)
        result_.provenFrom = sequence;
    result_.provenTo = sequence;
}

void TrailCheck::checkHead(const Line &line, std::uint64_t sequence) {
    if (!head_ || sequence != head_->sequence || isHeadSeen_)
        return;
    isHeadSeen_ = true;
    result_.hasHead = line.chain == head_->chain;
    if (!result_.hasHead)
        addBreak(Kind::chain, "is not the one that the head was taken of", sequence);
}

void TrailCheck::countLost(std::string_view record) {
    // Quotes within a text are escaped, so this is a member.
    if (record.find(R"("action":"audit-records-missing")") == std::string_view::npos)
        return;
    const Json count = ours(record, "count");
    if (ours(record, "previousChain").is_null())
        result_.lost += count.is_number_unsigned() ? count.get<std::uint64_t>() : 1;
}

} // namespace keyhold::command
