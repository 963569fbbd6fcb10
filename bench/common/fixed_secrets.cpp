// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/fixed_secrets.h"

#include <cstring>

namespace keyhold::bench {

std::uint64_t scramble(std::uint64_t number) noexcept {
    number += 0x9e3779b97f4a7c15U;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
    return number ^ (number >> 31);
}

UuidBytes uuidOf(std::uint64_t number) noexcept {
    const std::array<std::uint64_t, 2> halves{scramble(number), scramble(~number)};
    UuidBytes uuid;
    std::memcpy(uuid.data(), halves.data(), uuid.size());
    uuid[6] = static_cast<unsigned char>(0x40U | (uuid[6] & 0x0fU));
    uuid[8] = static_cast<unsigned char>(0x80U | (uuid[8] & 0x3fU));
    return uuid;
}

std::string textOf(const UuidBytes &uuid) {
    static constexpr const char *kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        text += kDigits[uuid[i] >> 4U];
        text += kDigits[uuid[i] & 0x0fU];
    }
    return text;
}

std::string usageOf(std::uint64_t number) {
    return "client.host-" + std::to_string(number) + " secret";
}

std::string xmlOf(std::uint64_t number, bool isEphemeral) {
    return std::string("<secret ephemeral='") + (isEphemeral ? "yes" : "no") +
           "' private='no'>\n"
           "  <uuid>" +
           textOf(uuidOf(number)) +
           "</uuid>\n"
           "  <description>Key of host " +
           std::to_string(number) +
           "</description>\n"
           "  <usage type='ceph'>\n"
           "    <name>" +
           usageOf(number) +
           "</name>\n"
           "  </usage>\n"
           "</secret>\n";
}

ValueBytes valueOf(std::uint64_t number) noexcept {
    ValueBytes value;
    for (std::size_t i = 0; i < value.size(); i += sizeof(std::uint64_t)) {
        const std::uint64_t part = scramble(number * 4 + i / sizeof(std::uint64_t));
        std::memcpy(value.data() + i, &part, sizeof(part));
    }
    return value;
}

} // namespace keyhold::bench
