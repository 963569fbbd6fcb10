// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_conf.h"

#include "abi/symbols.h"

#include <memory>
#include <utility>

#include <glib.h>
#include <libvirt/virterror.h>

namespace keyhold::abi {
namespace {

struct TextDeleter {
    void operator()(char *text) const { g_free(text); }
};
struct ListDeleter {
    void operator()(char **list) const { g_strfreev(list); }
};

/// What libvirt's functions return: 1 if the setting is there, 0 if not, -1 with an error raised.
LibvirtConf::Found foundBy(int result) {
    if (result > 0)
        return LibvirtConf::Found::yes;
    if (result == 0)
        return LibvirtConf::Found::no;
    virResetLastError();
    return LibvirtConf::Found::otherType;
}

} // namespace

std::optional<LibvirtConf> LibvirtConf::parse(const std::string &text, std::string &why) {
    const Symbols &libvirt = symbols();
    if (libvirt.virConfReadString == nullptr || libvirt.virConfFree == nullptr) {
        why = "this libvirt has no reader for it";
        return std::nullopt;
    }
    // libvirt would stop there and miss settings.
    if (text.find('\0') != std::string::npos) {
        why = "it holds a NUL byte";
        return std::nullopt;
    }
    // libvirt refuses a text of nothing but white space; with a comment behind it, it does not.
    Conf *conf = libvirt.virConfReadString((text + "\n#\n").c_str(), 0);
    if (conf == nullptr) {
        why = virGetLastErrorMessage();
        virResetLastError();
        return std::nullopt;
    }
    return LibvirtConf(conf);
}

LibvirtConf::LibvirtConf(LibvirtConf &&other) noexcept
    : conf_(std::exchange(other.conf_, nullptr)) {}

LibvirtConf &LibvirtConf::operator=(LibvirtConf &&other) noexcept {
    std::swap(conf_, other.conf_);
    return *this;
}

LibvirtConf::~LibvirtConf() {
    if (conf_ != nullptr)
        symbols().virConfFree(conf_);
}

LibvirtConf::Found LibvirtConf::boolean(const char *name, bool &value) const {
    return foundBy(symbols().virConfGetValueBool(conf_, name, &value));
}

LibvirtConf::Found LibvirtConf::string(const char *name, std::string &value) const {
    char *text = nullptr;
    const Found found = foundBy(symbols().virConfGetValueString(conf_, name, &text));
    const std::unique_ptr<char, TextDeleter> owner(text);
    if (found == Found::yes)
        value = text == nullptr ? "" : text;
    return found;
}

LibvirtConf::Found LibvirtConf::list(const char *name, std::vector<std::string> &value) const {
    char **texts = nullptr;
    const Found found = foundBy(symbols().virConfGetValueStringList(conf_, name, true, &texts));
    const std::unique_ptr<char *, ListDeleter> owner(texts);
    if (found != Found::yes)
        return found;
    value.clear();
    for (char **text = texts; text != nullptr && *text != nullptr; ++text)
        value.emplace_back(*text);
    return found;
}

} // namespace keyhold::abi
