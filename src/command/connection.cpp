// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/connection.h"

#include "conf/error.h"

#include <cstdlib>

#include <libvirt/virterror.h>

namespace keyhold::command {

namespace {

/// For the query of a URI (RFC 3986).
std::string percentEncoded(const std::string &text) {
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789-._~/";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string encoded;
    for (const char each : text) {
        if (kPlain.find(each) != std::string_view::npos) {
            encoded += each;
            continue;
        }
        const auto byte = static_cast<unsigned char>(each);
        encoded += '%';
        encoded += kDigits[byte >> 4];
        encoded += kDigits[byte & 15];
    }
    return encoded;
}

ErrorCode codeOf(int libvirtCode) {
    switch (libvirtCode) {
    case VIR_ERR_NO_SECRET:
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_STORAGE_POOL:
    case VIR_ERR_NO_STORAGE_VOL:
        return ErrorCode::notFound;
    case VIR_ERR_INVALID_SECRET:
        return ErrorCode::privateValue;
    default:
        return ErrorCode::configUnsupported;
    }
}

} // namespace

Connection openConnection(const std::string &uri, Access access) {
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread of the command looks at it
    if (access == Access::look)
        ::setenv("LIBVIRT_AUTOSTART", "0", 1);
    else
        ::unsetenv("LIBVIRT_AUTOSTART");
    // NOLINTEND(concurrency-mt-unsafe)
    Connection connection(access == Access::look ? ::virConnectOpenReadOnly(uri.c_str())
                                                 : ::virConnectOpen(uri.c_str()));
    if (!connection)
        raiseLibvirtError("cannot connect to " + inQuotes(uri));
    return connection;
}

std::string secretUriOf(const Target &target) {
    if (target.kind == Target::Kind::embedded)
        return "secret:///embed?root=" + percentEncoded(target.root);
    return std::string("secret:///") + target.name();
}

void raiseLibvirtError(const std::string &what) {
    const virError *const error = ::virGetLastError();
    const char *const text = error && error->message ? error->message : "no reason was given";
    throw Error(codeOf(error ? error->code : 0), what + ": " + text);
}

std::string takeText(char *text) {
    const std::unique_ptr<char, void (*)(void *)> owned(text, std::free);
    return owned ? owned.get() : "";
}

} // namespace keyhold::command
