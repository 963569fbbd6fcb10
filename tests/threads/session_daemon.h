// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// Makes this process what a session libvirtd is to its secret driver: the module loaded and
/// started in daemon mode, without sockets. Only a daemon reloads, so this is how calls and reloads
/// meet. Uses libvirt's private functions, as libvirtd does. One a process.
class SessionDaemon {
  public:
    /// Keeps the secrets and the lock below `directory`.
    explicit SessionDaemon(const std::string &directory);
    /// Stops the driver if nobody has: the end of a daemon, which leaves no thread to be joined.
    ~SessionDaemon();
    SessionDaemon(const SessionDaemon &) = delete;
    SessionDaemon &operator=(const SessionDaemon &) = delete;

    /// What a SIGHUP makes of a daemon; any thread may call it.
    static void reload();
    /// What a SIGTERM makes of a daemon: the driver is stopped, its connections stay.
    static void stop();

    /// Calls of the inhibit callback so far: how many more holds than releases there were, and
    /// whether the number was ever anything but 0 or 1.
    [[nodiscard]] static int inhibitions();
    [[nodiscard]] static bool wasMiscounted();

    [[nodiscard]] const std::string &secretsDirectory() const { return secretsDirectory_; }

    static constexpr const char *kUri = "secret:///session";

  private:
    std::string secretsDirectory_;
};

} // namespace keyhold
