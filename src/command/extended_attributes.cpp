// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/extended_attributes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string_view>

#include <sys/xattr.h>

namespace keyhold::command {

namespace {

/// What a call fills that answers with the size which it needs, for a buffer of none; -errno.
ssize_t fill(std::string &buffer, const std::function<ssize_t(char *, std::size_t)> &call) {
    for (;;) {
        const ssize_t size = call(nullptr, 0);
        if (size <= 0)
            return size < 0 ? -errno : 0;
        buffer.resize(static_cast<std::size_t>(size));
        const ssize_t got = call(buffer.data(), buffer.size());
        if (got < 0 && errno == ERANGE)
            continue; // it grew in between
        if (got < 0)
            return -errno;
        buffer.resize(static_cast<std::size_t>(got));
        return got;
    }
}

bool isOfTheContent(std::string_view name) {
    constexpr std::array<std::string_view, 2> kSignatures{"security.ima", "security.evm"};
    return std::ranges::find(kSignatures, name) != kSignatures.end();
}

int copyOne(int from, int to, const std::string &name) {
    std::string value;
    const ssize_t got = fill(value, [&](char *buffer, std::size_t size) {
        return ::fgetxattr(from, name.c_str(), buffer, size);
    });
    if (got == -ENODATA)
        return 0; // it went in between
    if (got < 0)
        return static_cast<int>(got);
    if (::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(got), 0) == 0)
        return 0;
    const bool isRefused = errno == EPERM || errno == EACCES;
    return isRefused && name.starts_with("security.") ? 0 : -errno;
}

} // namespace

int copyExtendedAttributes(int from, int to, std::string &failed) {
    std::string names;
    const ssize_t got = fill(
        names, [&](char *buffer, std::size_t size) { return ::flistxattr(from, buffer, size); });
    if (got < 0)
        return got == -ENOTSUP ? 0 : static_cast<int>(got);
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        if (isOfTheContent(name))
            continue;
        if (const int result = copyOne(from, to, name); result < 0) {
            failed = name;
            return result;
        }
    }
    return 0;
}

} // namespace keyhold::command
