// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/// libvirt's public functions, as a client in C++ would wrap them. What fails leaves libvirt's
/// error of the calling thread.
namespace keyhold::client {

struct Release {
    void operator()(virConnectPtr connection) const { virConnectClose(connection); }
    void operator()(virSecretPtr secret) const { virSecretFree(secret); }
};
using Connection = std::unique_ptr<virConnect, Release>;
using Secret = std::unique_ptr<virSecret, Release>;

/// `secret:///embed?root=...`; `root` is inserted as it is.
[[nodiscard]] std::string uriOf(const std::string &root, const std::string &scheme = "secret");
[[nodiscard]] Connection openRoot(const std::string &root);

/// The uuid all of whose digits but the last two are zero.
[[nodiscard]] std::string uuidOf(unsigned number);
/// The number behind a uuid of uuidOf().
[[nodiscard]] unsigned numberOf(virSecretPtr secret);

struct Definition {
    unsigned number;
    std::string type = {}; ///< empty: no use
    std::string id = {};
    bool isEphemeral = false;
    std::string description = {};
};
[[nodiscard]] std::string toXml(const Definition &definition);
[[nodiscard]] Secret define(virConnectPtr connection, const Definition &definition);
[[nodiscard]] Secret lookup(virConnectPtr connection, unsigned number);
[[nodiscard]] bool setValue(virSecretPtr secret, const std::string &value);
[[nodiscard]] std::optional<std::string> valueOf(virSecretPtr secret);
[[nodiscard]] std::optional<std::string> xmlOf(virSecretPtr secret);
[[nodiscard]] std::optional<std::vector<Secret>> listAll(virConnectPtr connection,
                                                         unsigned int flags = 0);

/// Every secret that survives its process, in the order of uuids: its document and its value.
[[nodiscard]] std::string dumpPersistent(virConnectPtr connection);

/// "error CODE DOMAIN MESSAGE" of the last failure on this thread.
[[nodiscard]] std::string describeError();
/// What stock says to a process that opens a root another one has open.
[[nodiscard]] std::string lockedText(const std::string &root);
[[nodiscard]] std::string lockFile(const std::string &root);
[[nodiscard]] std::string secretsDirectory(const std::string &root);

} // namespace keyhold::client
