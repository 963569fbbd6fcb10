// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/trail_on_disk.h"

#include "directory/store_files.h"

namespace keyhold::command {

namespace {

constexpr std::int64_t kFirstTime = 1'796'000'000'000'000; // microseconds

audit::SealingKey keyOf(std::uint64_t sequence, std::uint8_t seed) {
    audit::Digest bytes;
    bytes.fill(seed);
    return {sequence, bytes};
}

} // namespace

TrailOnDisk::TrailOnDisk(std::uint8_t seed) {
    if (seed != 0)
        key_ = keyOf(1, seed);
    audit::Record started;
    started.action = audit::Action::started;
    add(started);
}

std::string TrailOnDisk::lineOf(const audit::Record &record, audit::Head &head,
                                audit::SealingKey *key) {
    audit::Record timed = record;
    const std::uint64_t sequence = head.sequence + 1;
    timed.time = kFirstTime + static_cast<std::int64_t>(sequence) * 1'000'000;
    std::string line;
    appendLine(line, textOf(timed, sequence, {"system", "host", "0123456789abcdef", 42}), head,
               key);
    return line;
}

audit::Record TrailOnDisk::read() {
    audit::Record record;
    record.isCall = true;
    record.action = audit::Action::valueRead;
    record.caller.emplace();
    record.caller->userId = 64055;
    record.caller->userName = "nova";
    record.caller->processId = 812;
    record.job = "remoteDispatchSecretGetValue";
    record.connection = "secret:///system";
    record.secret = Uuid::parse("11111111-2222-4333-8444-555555555555");
    record.usage = Usage{UsageType::ceph, "client.nova secret"};
    return record;
}

void TrailOnDisk::add(const audit::Record &record) {
    lines.push_back(lineOf(record, head_, key_ ? &*key_ : nullptr));
}

void TrailOnDisk::addReads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        add(read());
}

void TrailOnDisk::beginFile() {
    audit::Record begun;
    begun.action = audit::Action::fileBegun;
    begun.previousChain = audit::hexOf(head_.chain);
    add(begun);
}

void TrailOnDisk::changeKey(std::uint8_t seed) {
    key_ = keyOf(head_.sequence + 1, seed);
}

void TrailOnDisk::jump(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
        static_cast<void>(lineOf(read(), head_, key_ ? &*key_ : nullptr));
    audit::Record missing;
    missing.action = audit::Action::missing;
    missing.outcome = audit::Outcome::failure;
    missing.count = count;
    missing.previousChain = audit::hexOf(head_.chain);
    add(missing);
}

void TrailOnDisk::write(const std::string &name, std::size_t first, std::size_t last) const {
    std::string text;
    for (std::size_t i = first; i <= std::min(last, lines.size()); ++i)
        text += lines[i - 1];
    writeText(name, text);
}

void TrailOnDisk::writeText(const std::string &name, const std::string &text) const {
    writePrivateFile(path(name), text);
}

std::string TrailOnDisk::path(const std::string &name) const {
    return directory_.path() + "/" + name;
}

std::string TrailOnDisk::keyText(std::uint64_t sequence, std::uint8_t seed) {
    audit::Digest bytes;
    bytes.fill(seed);
    return std::to_string(sequence) + ":" + audit::hexOf(bytes);
}

} // namespace keyhold::command
