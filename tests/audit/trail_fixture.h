// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "audit/trail.h"
#include "conf/recording_admin_log.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold::audit {

/// One line of a trail as a test looks at it.
struct SeenLine {
    std::string record;
    std::uint64_t sequence = 0;
    bool isSealed = false;

    [[nodiscard]] bool holds(std::string_view text) const {
        return record.find(text) != std::string::npos;
    }
};

/// The lines of a trail's text, checked: each is whole, in sequence, and chained to the one before
/// it, or says what it is chained to.
std::vector<SeenLine> checkedLines(const std::string &text, Head head = {});

/// A trail on a disk in memory whose calls can be made to fail.
class TrailTest : public testing::Test {
  protected:
    static constexpr const char *kFile = "/log/audit.jsonl";
    static constexpr const char *kKeyFile = "/lib/audit-key";

    /// Records of these are the caller's of a client, or of libvirt.
    enum class By { client, libvirt };

    [[nodiscard]] Options options() const;
    [[nodiscard]] static Record read(const std::string &message, By by = By::client);
    /// What is in the file, checked.
    [[nodiscard]] std::vector<SeenLine> lines(const std::string &path = kFile) const;
    void putKey(std::uint64_t sequence);
    /// Waits for what the thread does by itself.
    static bool eventually(const std::function<bool()> &isSo);

    MemoryFileSystem disk;
    FaultyFileSystem files{disk};
    RecordingAdminLog log;
    std::atomic<std::int64_t> seconds{0}; ///< that the clock has been set forward
};

} // namespace keyhold::audit
