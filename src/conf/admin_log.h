// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <exception>
#include <string>

namespace keyhold {

/// Where the store reports what an administrator should know. Texts name files and reasons, never
/// values. Safe for concurrent use; may be called while the caller has a secret to itself.
class AdminLog {
  public:
    virtual ~AdminLog() = default;
    virtual void info(const std::string &text) = 0;
    /// Nothing is wrong, and it is to be seen all the same where nobody has asked for more than
    /// warnings: what a start found, long work that begins or has ended.
    virtual void notice(const std::string &text) = 0;
    virtual void warning(const std::string &text) = 0;
    virtual void error(const std::string &text) = 0;

    /// As error(), for where nothing may be raised: `what` and the text of `why`, or `what` alone
    /// where there is no memory for both.
    void failure(const char *what, const std::exception &why) noexcept {
        try {
            error(std::string(what) + why.what());
        } catch (const std::exception &) {
            failureWithoutMemory(what);
        }
    }

  private:
    /// As error(), without taking memory for the text.
    virtual void failureWithoutMemory(const char *text) noexcept {
        try {
            error(text);
        } catch (const std::exception &) {
            return; // a log that always takes memory has said what it could
        }
    }
};

} // namespace keyhold
