// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/caller.h"

#include "abi/symbols.h"
#include "conf/error.h"

#include <glib-object.h>
#include <libvirt/virterror.h>

#include <memory>
#include <string_view>

namespace keyhold::caller {

namespace {

struct Release {
    void operator()(abi::Identity *identity) const { g_object_unref(identity); }
};
using IdentityPtr = std::unique_ptr<abi::Identity, Release>;

/// Puts the error of the thread back: libvirt's getters read by functions of its public API, which
/// begin by resetting it.
class ErrorKept {
  public:
    ErrorKept() {
        if (virGetLastErrorCode() != VIR_ERR_OK)
            abi::symbols().virErrorPreserveLast(&error_);
    }
    ~ErrorKept() {
        if (error_)
            abi::symbols().virErrorRestore(&error_);
    }
    ErrorKept(const ErrorKept &) = delete;
    ErrorKept &operator=(const ErrorKept &) = delete;

  private:
    virErrorPtr error_ = nullptr;
};

// libvirt's getters answer 1 for a value that is there.
template <typename Value>
std::optional<Value> number(int (*getter)(abi::Identity *, Value *), abi::Identity *identity) {
    Value value{};
    return getter(identity, &value) > 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::string> text(int (*getter)(abi::Identity *, const char **),
                                abi::Identity *identity) {
    const char *value = nullptr;
    return getter(identity, &value) > 0 && value ? std::optional(std::string(value)) : std::nullopt;
}

std::string printable(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= ' ' && byte < 0x7f && c != '\'' && c != '\\')
            out += c;
        else
            out.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return out;
}

} // namespace

std::optional<Caller> current() {
    const ErrorKept kept;
    const abi::Symbols &libvirt = abi::symbols();
    const IdentityPtr owner(libvirt.virIdentityGetCurrent());
    abi::Identity *const identity = owner.get();
    if (!identity)
        return std::nullopt;
    Caller out;
    out.isElevated = libvirt.virIdentityIsCurrentElevated() > 0;
    out.userId = number<uid_t>(libvirt.virIdentityGetUNIXUserID, identity);
    out.userName = text(libvirt.virIdentityGetUserName, identity);
    out.processId = number<pid_t>(libvirt.virIdentityGetProcessID, identity);
    out.processStart = number<unsigned long long>(libvirt.virIdentityGetProcessTime, identity);
    out.saslName = text(libvirt.virIdentityGetSASLUserName, identity);
    out.x509Name = text(libvirt.virIdentityGetX509DName, identity);
    out.selinuxContext = text(libvirt.virIdentityGetSELinuxContext, identity);
    return out;
}

std::string job() {
    const auto get = abi::symbols().virThreadJobGet;
    const char *const name = get ? get() : nullptr;
    return name ? name : "";
}

std::string describe(const std::optional<Caller> &caller) {
    if (!caller)
        return "this process";
    std::string client;
    const auto add = [&](const std::string &part) {
        client.append(client.empty() ? "" : ", ").append(part);
    };
    const auto addName = [&](const std::string &what, const std::optional<std::string> &name) {
        if (name)
            add(what + " " + inQuotes(printable(*name)));
    };
    if (caller->userId)
        add("uid " + std::to_string(*caller->userId));
    addName("user", caller->userName);
    if (caller->processId)
        add("pid " + std::to_string(*caller->processId));
    if (caller->processStart)
        add("started at " + std::to_string(*caller->processStart));
    addName("SASL user", caller->saslName);
    addName("x509 name", caller->x509Name);
    addName("SELinux context", caller->selinuxContext);
    if (!caller->isElevated)
        return client.empty() ? "an unknown client" : client;
    return client.empty() ? "libvirt" : "libvirt for " + client;
}

} // namespace keyhold::caller
