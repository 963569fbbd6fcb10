// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/settings_file.h"

#include "abi/symbols.h"
#include "conf/conf_scan.h"
#include "conf/error.h"
#include "os/file_system.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <glib.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

namespace keyhold {

namespace {

/// libvirt 9.0.0 computes a number modulo 2^64, so that 2^64 is 0 to it; later ones refuse the
/// file.
bool isZeroOrOne(std::string_view number) {
    if (number.starts_with('+'))
        number.remove_prefix(1);
    number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
    return number.empty() || number == "1";
}

struct ConfFree {
    void operator()(abi::Conf *conf) const { abi::symbols().virConfFree(conf); }
};

/// Raises configUnsupported: where and why the text is malformed, which libvirt logs as well.
std::unique_ptr<abi::Conf, ConfFree> parse(const std::string &text) {
    const abi::Symbols &libvirt = abi::symbols();
    if (libvirt.virConfReadString == nullptr || libvirt.virConfFree == nullptr)
        throw Error(ErrorCode::configUnsupported, "this libvirt has no reader for it");
    // libvirt would stop there and miss settings.
    if (text.find('\0') != std::string::npos)
        throw Error(ErrorCode::configUnsupported, "it holds a NUL byte");
    // libvirt refuses a text of nothing but white space; with a comment behind it, it does not.
    abi::Conf *conf = libvirt.virConfReadString((text + "\n#\n").c_str(), 0);
    if (conf == nullptr) {
        const std::string why = virGetLastErrorMessage();
        virResetLastError();
        throw Error(ErrorCode::configUnsupported, why);
    }
    return std::unique_ptr<abi::Conf, ConfFree>(conf);
}

/// What libvirt's own reader takes from a text, but for what it does not give. Leaves libvirt's
/// error of the thread unset.
class LibvirtConfValues : public ConfValues {
  public:
    LibvirtConfValues(const std::string &text, const std::vector<ConfStatement> &statements)
        : conf_(parse(text)),
          statements_(statements) {}

    [[nodiscard]] std::optional<bool> boolean(const char *name) const override {
        bool value = false;
        const ConfStatement *statement = findStatement(statements_, name);
        const bool isBeyond = statement != nullptr && !isZeroOrOne(statement->number);
        const int result =
            isBeyond ? -1 : abi::symbols().virConfGetValueBool(conf_.get(), name, &value);
        return isThere(result, name, "0 or 1") ? std::optional(value) : std::nullopt;
    }
    [[nodiscard]] std::optional<std::string> string(const char *name) const override {
        char *text = nullptr;
        const int result = abi::symbols().virConfGetValueString(conf_.get(), name, &text);
        const std::unique_ptr<char, void (*)(void *)> owner(text, g_free);
        if (!isThere(result, name, "a string"))
            return std::nullopt;
        return text == nullptr ? "" : text;
    }
    [[nodiscard]] std::optional<List> list(const char *name) const override {
        // libvirt's reader gives nothing of a list in which one entry is no string.
        const ConfStatement *statement = findStatement(statements_, name);
        if (statement != nullptr && statement->list)
            return statement->list;
        char **texts = nullptr; // a single string is taken for a list of one
        const int result =
            abi::symbols().virConfGetValueStringList(conf_.get(), name, true, &texts);
        const std::unique_ptr<char *, void (*)(char **)> owner(texts, g_strfreev);
        if (!isThere(result, name, "a list of strings"))
            return std::nullopt;
        return List(texts, texts + g_strv_length(texts));
    }

  private:
    /// Of what libvirt's functions return: 1 if the setting is there, 0 if not, -1 with an error
    /// raised if it is of another type.
    static bool isThere(int result, const char *name, const char *wanted) {
        if (result >= 0)
            return result > 0;
        virResetLastError();
        throw Error(ErrorCode::configUnsupported, inQuotes(name) + " is not " + wanted);
    }

    std::unique_ptr<abi::Conf, ConfFree> conf_;
    const std::vector<ConfStatement> &statements_;
};

constexpr std::size_t kMaxSize = std::size_t{10} << 20; // bytes: MAX_CONFIG_FILE_SIZE of libvirt

/// Empty if there is no such file.
std::optional<std::string> readText(const std::string &path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = path.substr(0, slash);
    FileStatus status;
    if (posixFileSystem().statusOf(directory, status) == -ENOENT)
        return std::nullopt;
    return readTextFile(StoreDirectory::toReachFiles(posixFileSystem(), directory),
                        path.substr(slash + 1), kMaxSize);
}

} // namespace

SettingsFile readSettingsFile(const std::string &path) {
    const auto text = readText(path);
    if (!text)
        return {};
    const std::vector<ConfStatement> statements = scanConf(*text);
    return {readSettings(LibvirtConfValues(*text, statements)), ignoredStatements(statements)};
}

} // namespace keyhold
