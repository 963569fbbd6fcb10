// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace keyhold::abi {

struct Conf;

/// A text in the syntax of libvirt's conf files, parsed by libvirt itself. Move-only.
class LibvirtConf {
  public:
    /// Or where and why the text is malformed, which libvirt logs as well. Leaves libvirt's error
    /// of the thread unset.
    [[nodiscard]] static std::variant<LibvirtConf, std::string> parse(const std::string &text);
    LibvirtConf(LibvirtConf &&other) noexcept;
    LibvirtConf &operator=(LibvirtConf &&other) noexcept;
    ~LibvirtConf();

    enum class Found {
        no,
        yes,
        otherType, ///< the setting is there but cannot be read as what was asked for
    };
    template <typename Value>
    struct Setting {
        Found found;
        Value value; ///< empty unless it was found
    };
    /// 0 or 1.
    [[nodiscard]] Setting<bool> boolean(const char *name) const;
    [[nodiscard]] Setting<std::string> string(const char *name) const;
    /// A list of strings; a single string is taken for a list of one.
    [[nodiscard]] Setting<std::vector<std::string>> list(const char *name) const;

  private:
    explicit LibvirtConf(Conf *conf) noexcept : conf_(conf) {}
    Conf *conf_;
};

} // namespace keyhold::abi
