// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <string>
#include <vector>

/// The subcommands that are about single secrets. A SECRET is named as parseSecretName() reads it.
namespace keyhold::command {

struct ListOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< more keys to open values with
    bool json = false;
};
/// `keyhold list`: one line a secret.
[[nodiscard]] Exit list(const ListOptions &options);

struct ShowOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles;
    std::vector<std::string> connections; ///< as UsersOptions
    std::string secret;
    bool json = false;
};
/// `keyhold show SECRET`: all of one, with what uses it, where that can be asked. Exits with
/// findings if its value cannot be read.
[[nodiscard]] Exit show(const ShowOptions &options);

struct UsersOptions {
    TargetChoice target;
    /// URIs of the connections to ask; empty for qemu:///system or qemu:///session, by the target.
    std::vector<std::string> connections;
    std::string secret; ///< empty for all
    bool json = false;
};
/// `keyhold used-by [SECRET]`: what on this host uses secrets. Exits with findings if something
/// uses one that is not there.
[[nodiscard]] Exit usedBy(const UsersOptions &options);

struct SetOptions {
    TargetChoice target;
    std::string secret;
    bool wantsDefine = false; ///< make it if it is not there, by its use
    std::string uuid;         ///< of one that is made; empty for a new one
    std::string description;
    bool isPrivate = false;
    bool isEphemeral = false;
    bool json = false;
};
/// `keyhold set SECRET`: sets its value to what comes from standard input, through libvirt's API.
/// One that was made for this goes again if the value is refused.
[[nodiscard]] Exit set(const SetOptions &options);

struct GetOptions {
    TargetChoice target;
    std::string secret;
    bool isRevealing = false;
};
/// `keyhold get SECRET --reveal`: writes its value to standard output, through libvirt's API.
[[nodiscard]] Exit get(const GetOptions &options);

} // namespace keyhold::command
