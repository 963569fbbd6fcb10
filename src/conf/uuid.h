// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyhold {

/// 16 bytes that name a secret. Any value is allowed, the nil UUID and non-RFC variants included:
/// clients derive UUIDs in many ways.
class Uuid {
  public:
    static constexpr std::size_t kSize = 16;
    static constexpr std::size_t kTextLength = 36;

    constexpr Uuid() = default;
    explicit Uuid(std::span<const std::uint8_t, kSize> bytes);

    /// Accepts what libvirt's own parser accepts (virUUIDParse): 16 pairs of hex digits of either
    /// case, dashes and blanks before and between the pairs, white space around it all. Empty for
    /// anything else.
    [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);

    /// Accepts only the canonical form that toString() writes; file names must have it.
    [[nodiscard]] static std::optional<Uuid> parseCanonical(std::string_view text);

    /// A random version 4 UUID (RFC 9562).
    [[nodiscard]] static Uuid generate();

    [[nodiscard]] std::span<const std::uint8_t, kSize> bytes() const { return bytes_; }
    /// Lower case, 8-4-4-4-12.
    [[nodiscard]] std::string toString() const;
    void writeTo(std::span<char, kTextLength> text) const noexcept;

    auto operator<=>(const Uuid &) const = default;

  private:
    std::array<std::uint8_t, kSize> bytes_{};
};

/// Hash for unordered containers, keyed once per process: clients choose UUIDs. Not declared
/// noexcept though it is: libstdc++ takes that for a sign that hashes need not be kept.
struct UuidHash {
    [[nodiscard]] std::size_t operator()(const Uuid &uuid) const;
};

} // namespace keyhold
