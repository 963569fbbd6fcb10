// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_fixture.h"

#include "audit/key_file.h"

#include <regex>
#include <thread>

namespace keyhold::audit {

std::vector<SeenLine> checkedLines(const std::string &text, Head head) {
    std::vector<SeenLine> lines;
    static const std::regex kPrevious("\"previousChain\":\"([0-9a-f]{64})\"");
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = text.find('\n', from);
        if (end == std::string::npos) {
            ADD_FAILURE() << "a torn line: " << text.substr(from);
            break;
        }
        const std::string whole = text.substr(from, end - from);
        from = end + 1;
        const auto line = parseLine(whole);
        if (!line) {
            ADD_FAILURE() << "no line: " << whole;
            break;
        }
        SeenLine seen{std::string(line->record), sequenceOf(line->record).value_or(0),
                      line->seal.has_value()};
        std::smatch previous;
        if (std::regex_search(seen.record, previous, kPrevious))
            // Where a file begins, and behind a loss that the record reports.
            head = {lines.empty() || seen.holds("audit-records-missing") ? seen.sequence - 1
                                                                         : head.sequence,
                    *digestOf(previous[1].str())};
        EXPECT_EQ(head.sequence + 1, seen.sequence) << whole;
        EXPECT_EQ(chainOf(head.chain, line->record), line->chain) << whole;
        head = {seen.sequence, line->chain};
        lines.push_back(std::move(seen));
    }
    return lines;
}

Options TrailTest::options() const {
    return {.file = kFile,
            .keyFile = kKeyFile,
            .source = {.instance = "system", .host = "node", .bootId = "0", .pid = 1},
            .now = [this] { return Deadline::Clock::now() + std::chrono::seconds(seconds); }};
}

Record TrailTest::read(const std::string &message, By by) {
    Record record;
    record.action = Action::valueRead;
    record.time = now();
    record.message = message;
    record.isCall = true;
    record.caller.emplace().isElevated = by == By::libvirt;
    return record;
}

std::vector<SeenLine> TrailTest::lines(const std::string &path) const {
    return checkedLines(disk.content(path).value_or(""));
}

void TrailTest::putKey(std::uint64_t sequence) {
    disk.putDirectory("/lib");
    StoreDirectory directory(disk, "/lib");
    writeSealingKey(directory, "audit-key", SealingKey(sequence, sha256(bytesOf("K"))), {});
}

bool TrailTest::eventually(const std::function<bool()> &isSo) {
    for (int i = 0; i < 3000; ++i) {
        if (isSo())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

} // namespace keyhold::audit
