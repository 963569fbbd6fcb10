// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_key.h"

#include "audit/key_file.h"
#include "conf/error.h"
#include "os/path_parts.h"

#include <cerrno>

namespace keyhold::audit {

namespace {

constexpr std::chrono::minutes kPeriod{1};

} // namespace

std::optional<Head> TrailKey::take() {
    if (key_)
        return std::nullopt;
    std::optional<Head> known;
    std::string why;
    try {
        FileStatus status;
        if (fileSystem_.statusOf(directoryOf(path_), status) == -ENOENT)
            return std::nullopt;
        auto kept = readSealingKey(StoreDirectory::toReachFiles(fileSystem_, directoryOf(path_)),
                                   nameIn(path_));
        if (kept) {
            known = Head{kept->key.sequence() - 1, kept->chain};
            key_ = std::move(kept->key);
        }
    } catch (const Error &error) {
        why = error.fullText();
    }
    if (!why.empty() && why != told_)
        log_.error("audit records are not sealed: " + why);
    told_ = why;
    return known;
}

Deadline::Clock::time_point TrailKey::due() const noexcept {
    return saved_ + kPeriod;
}

void TrailKey::save(const Head &head) noexcept {
    saved_ = Deadline::Clock::now();
    try {
        key_->advanceTo(head.sequence + 1);
        key_->commit();
        StoreDirectory directory(fileSystem_, directoryOf(path_));
        writeSealingKey(directory, nameIn(path_), *key_, head.chain);
        mustSave_ = false;
    } catch (const std::exception &exception) {
        log_.failure("the key of the audit trail was not kept: ", exception);
    }
}

} // namespace keyhold::audit
