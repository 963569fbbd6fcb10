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

std::variant<LibvirtConf, std::string> LibvirtConf::parse(const std::string &text) {
    const Symbols &libvirt = symbols();
    if (libvirt.virConfReadString == nullptr || libvirt.virConfFree == nullptr)
        return "this libvirt has no reader for it";
    // libvirt would stop there and miss settings.
    if (text.find('\0') != std::string::npos)
        return "it holds a NUL byte";
    // libvirt refuses a text of nothing but white space; with a comment behind it, it does not.
    Conf *conf = libvirt.virConfReadString((text + "\n#\n").c_str(), 0);
    if (conf == nullptr) {
        std::string why = virGetLastErrorMessage();
        virResetLastError();
        return why;
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

LibvirtConf::Setting<bool> LibvirtConf::boolean(const char *name) const {
    bool value = false;
    const Found found = foundBy(symbols().virConfGetValueBool(conf_, name, &value));
    return {found, value};
}

LibvirtConf::Setting<std::string> LibvirtConf::string(const char *name) const {
    char *text = nullptr;
    const Found found = foundBy(symbols().virConfGetValueString(conf_, name, &text));
    const std::unique_ptr<char, TextDeleter> owner(text);
    return {found, text == nullptr ? "" : text};
}

LibvirtConf::Setting<std::vector<std::string>> LibvirtConf::list(const char *name) const {
    char **texts = nullptr;
    Setting<std::vector<std::string>> setting;
    setting.found = foundBy(symbols().virConfGetValueStringList(conf_, name, true, &texts));
    const std::unique_ptr<char *, ListDeleter> owner(texts);
    for (char **text = texts; text != nullptr && *text != nullptr; ++text)
        setting.value.emplace_back(*text);
    return setting;
}

} // namespace keyhold::abi
