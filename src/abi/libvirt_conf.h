// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace keyhold::abi {

struct Conf;

/// A text in the syntax of libvirt's conf files, parsed by libvirt itself. Move-only.
class LibvirtConf {
  public:
    /// Empty if the text is malformed; `why` then says where and why. libvirt logs that as well.
    /// Leaves libvirt's error of the thread unset.
    [[nodiscard]] static std::optional<LibvirtConf> parse(const std::string &text,
                                                          std::string &why);
    LibvirtConf(LibvirtConf &&other) noexcept;
    LibvirtConf &operator=(LibvirtConf &&other) noexcept;
    ~LibvirtConf();

    enum class Found {
        no,
        yes,
        otherType, ///< the setting is there but cannot be read as what was asked for
    };
    /// 0 or 1.
    [[nodiscard]] Found boolean(const char *name, bool &value) const;
    [[nodiscard]] Found string(const char *name, std::string &value) const;
    /// A list of strings; a single string is taken for a list of one.
    [[nodiscard]] Found list(const char *name, std::vector<std::string> &value) const;

  private:
    explicit LibvirtConf(Conf *conf) noexcept : conf_(conf) {}
    Conf *conf_;
};

} // namespace keyhold::abi
