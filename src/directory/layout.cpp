// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/layout.h"

#include <array>
#include <initializer_list>
#include <sodium.h>
#include <span>

namespace keyhold::layout {

namespace {

constexpr std::string_view kDefinition = ".xml";
constexpr std::string_view kNew = ".keyhold-new";
constexpr std::string_view kOld = ".keyhold-old";
constexpr std::string_view kLeaving = ".keyhold-leaving";
constexpr std::string_view kAwaiting = ".keyhold-for-";
constexpr std::string_view kQuarantined = ".aside-";

constexpr std::size_t kHashBytes = 8;

std::string nameWith(const Uuid &uuid, std::initializer_list<std::string_view> rest) {
    constexpr std::size_t kUsualRest = 24; // of names that need no second allocation
    std::string name;
    name.reserve(Uuid::kTextLength + kUsualRest);
    name.resize(Uuid::kTextLength);
    uuid.writeTo(std::span(name).first<Uuid::kTextLength>());
    for (const std::string_view part : rest)
        name.append(part);
    return name;
}

std::string definitionWith(const Uuid &uuid, std::string_view suffix) {
    return nameWith(uuid, {kDefinition, suffix});
}

std::string valueWith(const Uuid &uuid, ValueFormat form, std::string_view suffix) {
    return nameWith(uuid, {".", valueFormatName(form), suffix});
}

bool isHash(std::string_view text) {
    return text.size() == kHashBytes * 2 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct Suffix {
    std::string_view text;
    FileKind kind;
};

constexpr std::array kDefinitionSuffixes = {
    Suffix{"", FileKind::definition},
    Suffix{kNew, FileKind::newDefinition},
    Suffix{kLeaving, FileKind::leavingDefinition},
    Suffix{kOld, FileKind::oldDefinition},
};
constexpr std::array kValueSuffixes = {
    Suffix{"", FileKind::value},
    Suffix{kNew, FileKind::newValue},
    Suffix{kLeaving, FileKind::leavingValue},
    Suffix{kOld, FileKind::oldValue},
};

template <std::size_t size>
std::optional<FileKind> kindOf(std::string_view suffix, const std::array<Suffix, size> &suffixes) {
    for (const Suffix &known : suffixes) {
        if (suffix == known.text)
            return known.kind;
    }
    return std::nullopt;
}

std::optional<FileName> parseValueName(const Uuid &uuid, ValueFormat form,
                                       std::string_view suffix) {
    if (const auto kind = kindOf(suffix, kValueSuffixes))
        return FileName{uuid, *kind, form, {}};
    if (!suffix.starts_with(kAwaiting) || !isHash(suffix.substr(kAwaiting.size())))
        return std::nullopt;
    return FileName{uuid, FileKind::awaitingValue, form,
                    std::string(suffix.substr(kAwaiting.size()))};
}

} // namespace

std::string definitionName(const Uuid &uuid) {
    return definitionWith(uuid, "");
}
std::string valueName(const Uuid &uuid, ValueFormat form) {
    return valueWith(uuid, form, "");
}
std::string newDefinitionName(const Uuid &uuid) {
    return definitionWith(uuid, kNew);
}
std::string newValueName(const Uuid &uuid, ValueFormat form) {
    return valueWith(uuid, form, kNew);
}
std::string leavingValueName(const Uuid &uuid, ValueFormat form) {
    return valueWith(uuid, form, kLeaving);
}
std::string leavingDefinitionName(const Uuid &uuid) {
    return definitionWith(uuid, kLeaving);
}
std::string oldDefinitionName(const Uuid &uuid) {
    return definitionWith(uuid, kOld);
}
std::string oldValueName(const Uuid &uuid, ValueFormat form) {
    return valueWith(uuid, form, kOld);
}

std::string awaitingValueName(const Uuid &uuid, ValueFormat form,
                              const std::string &definitionHash) {
    return valueWith(uuid, form, kAwaiting) + definitionHash;
}

std::string quarantineName(const Uuid &uuid, ValueFormat form, unsigned n) {
    return valueWith(uuid, form, kQuarantined) + std::to_string(n);
}

bool isQuarantineName(std::string_view name) {
    const std::size_t at = name.rfind(kQuarantined);
    if (at == std::string_view::npos)
        return false;
    const std::string_view number = name.substr(at + kQuarantined.size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos)
        return false;
    const auto file = parseFileName(name.substr(0, at));
    return file && file->kind == FileKind::value;
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
    std::string_view rest = name.substr(Uuid::kTextLength);
    if (rest.starts_with(kDefinition)) {
        const auto kind = kindOf(rest.substr(kDefinition.size()), kDefinitionSuffixes);
        return kind ? std::optional(FileName{*uuid, *kind, ValueFormat::plain, {}}) : std::nullopt;
    }
    if (!rest.starts_with('.'))
        return std::nullopt;
    rest.remove_prefix(1);
    for (const ValueFormat form : kValueFormats) {
        if (rest.substr(0, rest.find('.')) == valueFormatName(form))
            return parseValueName(*uuid, form, rest.substr(valueFormatName(form).size()));
    }
    return std::nullopt;
}

bool hasDefinitionSuffix(std::string_view name) {
    return name.ends_with(kDefinition);
}

} // namespace keyhold::layout
