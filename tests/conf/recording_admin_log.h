// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace keyhold {

/// Keeps what is reported.
class RecordingAdminLog : public AdminLog {
  public:
    void info(const std::string &text) override { add("info: " + text); }
    void notice(const std::string &text) override { add("notice: " + text); }
    void warning(const std::string &text) override { add("warning: " + text); }
    void error(const std::string &text) override { add("error: " + text); }
    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    [[nodiscard]] bool mentions(const std::string &part) const {
        return std::ranges::any_of(
            lines(), [&](const std::string &line) { return line.find(part) != std::string::npos; });
    }

  private:
    void add(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
    }
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

} // namespace keyhold
