// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold::bench {

/// Makes this process what a session libvirtd is to its secret driver: the module loaded, and
/// started below `directory`, without sockets. Its connections are opened as `secret:///session`.
/// Only a daemon reloads; there, a reload can be timed without the daemon's own work around it.
void becomeSessionDaemon(const std::string &directory);

/// What SIGHUP makes of a daemon.
void reloadDrivers();

} // namespace keyhold::bench
