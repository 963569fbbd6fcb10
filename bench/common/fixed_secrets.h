// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>

/// The secrets that all programs here agree on, by number: what the generator wrote, a client
/// finds. Nothing but the standard library is used, so that a client has no library that libvirt
/// lacks.
namespace keyhold::bench {

using UuidBytes = std::array<unsigned char, 16>;
using ValueBytes = std::array<std::uint8_t, 32>;

/// A bijection on 64 bits that looks random (the finalizer of SplitMix64).
[[nodiscard]] std::uint64_t scramble(std::uint64_t number) noexcept;

/// Version 4 in form, in no order.
[[nodiscard]] UuidBytes uuidOf(std::uint64_t number) noexcept;
[[nodiscard]] std::string textOf(const UuidBytes &uuid);

/// Of the type ceph.
[[nodiscard]] std::string usageOf(std::uint64_t number);

/// The definition, as drivers write it to `<uuid>.xml`.
[[nodiscard]] std::string xmlOf(std::uint64_t number, bool isEphemeral = false);

[[nodiscard]] ValueBytes valueOf(std::uint64_t number) noexcept;

} // namespace keyhold::bench
