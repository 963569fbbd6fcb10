// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/holder.h"
#include "command/target.h"
#include "os/descriptor.h"

#include <chrono>
#include <functional>
#include <string>

namespace keyhold::command {

/// The process that held the store when it was looked at, whatever becomes of its number.
class Daemon {
  public:
    /// Raises configUnsupported if it has ended; systemCall.
    Daemon(const Target &target, const Holder &holder);

    /// Sends SIGHUP. Raises systemCall.
    void reload() const;
    /// Waits for a while, or until it has ended.
    [[nodiscard]] bool hasEnded(std::chrono::milliseconds wait) const;

    enum class Settings {
        read,    ///< it goes by the file that is there now
        unread,  ///< it went by another one for as long as was waited
        unknown, ///< it does not tell
        ended,   ///< it has ended; the next one reads the file
    };
    /// Has it read the settings, if it has not, and waits until it says so.
    [[nodiscard]] Settings readSettings(const std::function<bool()> &isStopped) const;

  private:
    const Target &target_;
    const Holder holder_;
    const Descriptor descriptor_;
};

/// Raises configUnsupported, with the remedy, if the store is in use by something that does not do
/// what a daemon with Keyhold does at SIGHUP.
void requireReloading(const Target &target, const Holder &holder);

} // namespace keyhold::command
