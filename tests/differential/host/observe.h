// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <memory>
#include <string>

namespace keyhold {

struct CloseConnection {
    void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
struct FreeSecret {
    void operator()(virSecretPtr secret) const { virSecretFree(secret); }
};
using Connection = std::unique_ptr<virConnect, CloseConnection>;
using Secret = std::unique_ptr<virSecret, FreeSecret>;

/// All of the thread's last error: code, domain, level, message, str1-3, int1-2.
[[nodiscard]] std::string describeError();

// What a call returned, as the transcript shows it.
[[nodiscard]] std::string render(int result);
[[nodiscard]] std::string render(unsigned long result);
[[nodiscard]] std::string render(const char *text);
[[nodiscard]] std::string render(virConnectPtr connection);
[[nodiscard]] std::string render(virSecretPtr secret);

// How libvirt's functions say that they failed.
[[nodiscard]] inline bool isFailure(int result) {
    return result < 0;
}
[[nodiscard]] inline bool isFailure(const void *result) {
    return result == nullptr;
}

} // namespace keyhold
