// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layout.h"

#include <array>
#include <sodium.h>

namespace keyhold::layout {

namespace {

constexpr std::string_view kDefinition = ".xml";
constexpr std::string_view kValue = ".base64";
constexpr std::string_view kNewDefinition = ".xml.keyhold-new";
constexpr std::string_view kNewValue = ".base64.keyhold-new";
constexpr std::string_view kAwaitingValue = ".base64.keyhold-for-";
constexpr std::string_view kLeavingValue = ".base64.keyhold-leaving";
constexpr std::string_view kOldDefinition = ".xml.keyhold-old";
constexpr std::string_view kOldValue = ".base64.keyhold-old";

constexpr std::size_t kHashBytes = 8;

std::string nameWith(const Uuid &uuid, std::string_view suffix) {
    return uuid.toString().append(suffix);
}

bool isHash(std::string_view text) {
    return text.size() == kHashBytes * 2 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct Suffix {
    std::string_view text;
    FileKind kind;
};

constexpr std::array kSuffixes = {
    Suffix{kDefinition, FileKind::definition},
    Suffix{kValue, FileKind::value},
    Suffix{kNewDefinition, FileKind::newDefinition},
    Suffix{kNewValue, FileKind::newValue},
    Suffix{kLeavingValue, FileKind::leavingValue},
    Suffix{kOldDefinition, FileKind::oldDefinition},
    Suffix{kOldValue, FileKind::oldValue},
};

} // namespace

std::string definitionName(const Uuid &uuid) {
    return nameWith(uuid, kDefinition);
}
std::string valueName(const Uuid &uuid) {
    return nameWith(uuid, kValue);
}
std::string newDefinitionName(const Uuid &uuid) {
    return nameWith(uuid, kNewDefinition);
}
std::string newValueName(const Uuid &uuid) {
    return nameWith(uuid, kNewValue);
}
std::string leavingValueName(const Uuid &uuid) {
    return nameWith(uuid, kLeavingValue);
}
std::string oldDefinitionName(const Uuid &uuid) {
    return nameWith(uuid, kOldDefinition);
}
std::string oldValueName(const Uuid &uuid) {
    return nameWith(uuid, kOldValue);
}

std::string awaitingValueName(const Uuid &uuid, const std::string &definitionHash) {
    return nameWith(uuid, kAwaitingValue) + definitionHash;
}

std::string asideName(const Uuid &uuid, unsigned n) {
    return nameWith(uuid, ".base64.aside-") + std::to_string(n);
}

std::string hashOfDefinition(std::string_view text) {
    static_assert(kHashBytes < crypto_generichash_BYTES_MIN, "cut from the shortest hash offered");
    std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char *>(text.data()), text.size(), nullptr,
                       0);
    std::string out(kHashBytes * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), hash.data(), kHashBytes);
    out.pop_back();
    return out;
}

std::optional<FileName> parseFileName(std::string_view name) {
    if (name.size() <= Uuid::kTextLength)
        return std::nullopt;
    const auto uuid = Uuid::parseCanonical(name.substr(0, Uuid::kTextLength));
    if (!uuid)
        return std::nullopt;
    const std::string_view rest = name.substr(Uuid::kTextLength);
    for (const Suffix &suffix : kSuffixes) {
        if (rest == suffix.text)
            return FileName{*uuid, suffix.kind, {}};
    }
    if (!rest.starts_with(kAwaitingValue))
        return std::nullopt;
    const std::string_view hash = rest.substr(kAwaitingValue.size());
    if (!isHash(hash))
        return std::nullopt;
    return FileName{*uuid, FileKind::awaitingValue, std::string(hash)};
}

bool hasDefinitionSuffix(std::string_view name) {
    return name.ends_with(kDefinition);
}

} // namespace keyhold::layout
