// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/settings_file.h"

#include "abi/libvirt_conf.h"
#include "conf/conf_scan.h"
#include "conf/error.h"
#include "os/file_system.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <variant>

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

class LibvirtConfValues : public ConfValues {
  public:
    LibvirtConfValues(abi::LibvirtConf conf, std::vector<ConfStatement> statements)
        : conf_(std::move(conf)),
          statements_(std::move(statements)) {}

    [[nodiscard]] std::optional<bool> boolean(const char *name) const override {
        auto setting = conf_.boolean(name);
        const ConfStatement *statement = findStatement(statements_, name);
        if (statement != nullptr && !isZeroOrOne(statement->number))
            setting.found = abi::LibvirtConf::Found::otherType;
        return taken(name, "0 or 1", setting);
    }
    [[nodiscard]] std::optional<std::string> string(const char *name) const override {
        return taken(name, "a string", conf_.string(name));
    }
    [[nodiscard]] std::optional<List> list(const char *name) const override {
        // libvirt's reader gives nothing of a list in which one entry is no string.
        const ConfStatement *statement = findStatement(statements_, name);
        if (statement != nullptr && statement->list)
            return statement->list;
        if (const auto texts = taken(name, "a list of strings", conf_.list(name)))
            return List(texts->begin(), texts->end());
        return std::nullopt;
    }

  private:
    template <typename Value>
    static std::optional<Value> taken(const char *name, const char *wanted,
                                      abi::LibvirtConf::Setting<Value> setting) {
        switch (setting.found) {
        case abi::LibvirtConf::Found::no:
            return std::nullopt;
        case abi::LibvirtConf::Found::yes:
            return std::move(setting.value);
        case abi::LibvirtConf::Found::otherType:
            break;
        }
        throw Error(ErrorCode::configUnsupported, inQuotes(name) + " is not " + wanted);
    }

    abi::LibvirtConf conf_;
    std::vector<ConfStatement> statements_;
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
    auto parsed = abi::LibvirtConf::parse(*text);
    if (const auto *why = std::get_if<std::string>(&parsed))
        throw Error(ErrorCode::configUnsupported, *why);
    std::vector<ConfStatement> statements = scanConf(*text);
    std::vector<std::string> ignored = ignoredStatements(statements);
    return {readSettings(LibvirtConfValues(std::get<abi::LibvirtConf>(std::move(parsed)),
                                           std::move(statements))),
            std::move(ignored)};
}

} // namespace keyhold
