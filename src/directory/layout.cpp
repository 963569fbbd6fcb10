// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/layout.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <sodium.h>
#include <span>

namespace keyhold::layout {

namespace {

constexpr std::string_view kDefinition = ".xml";
constexpr std::array<std::string_view, 5> kEnds = {"", ".keyhold-new", ".keyhold-leaving",
                                                   ".keyhold-old", ".keyhold-for-"}; // by stage
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

std::string_view endOf(Stage stage) {
    return kEnds.at(static_cast<std::size_t>(stage));
}

bool isHash(std::string_view text) {
    return text.size() == kHashBytes * 2 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// By the end of its name, `end`.
std::optional<FileName> fileOf(const Uuid &uuid, std::optional<ValueFormat> form,
                               std::string_view end) {
    for (const Stage stage : {Stage::current, Stage::fresh, Stage::leaving, Stage::old}) {
        if (end == endOf(stage))
            return FileName{uuid, stage, form, {}};
    }
    const std::string_view awaiting = endOf(Stage::awaiting);
    if (!form || !end.starts_with(awaiting) || !isHash(end.substr(awaiting.size())))
        return std::nullopt;
    return FileName{uuid, Stage::awaiting, form, std::string(end.substr(awaiting.size()))};
}

} // namespace

std::string definitionName(const Uuid &uuid, Stage stage) {
    return nameWith(uuid, {kDefinition, endOf(stage)});
}
std::string valueName(const Uuid &uuid, ValueFormat form, Stage stage) {
    return nameWith(uuid, {".", valueFormatName(form), endOf(stage)});
}
std::string awaitingValueName(const Uuid &uuid, ValueFormat form,
                              const std::string &definitionHash) {
    return valueName(uuid, form, Stage::awaiting) + definitionHash;
}
std::string quarantineName(const Uuid &uuid, ValueFormat form, unsigned n) {
    return valueName(uuid, form).append(kQuarantined) + std::to_string(n);
}

bool isQuarantineName(std::string_view name) {
    const std::size_t at = name.rfind(kQuarantined);
    if (at == std::string_view::npos)
        return false;
    const std::string_view number = name.substr(at + kQuarantined.size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos)
        return false;
    const auto file = parseFileName(name.substr(0, at));
    return file && file->form && file->stage == Stage::current;
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
    if (rest.starts_with(kDefinition))
        return fileOf(*uuid, std::nullopt, rest.substr(kDefinition.size()));
    if (!rest.starts_with('.'))
        return std::nullopt;
    rest.remove_prefix(1);
    for (const ValueFormat form : kValueFormats) {
        if (rest.substr(0, rest.find('.')) == valueFormatName(form))
            return fileOf(*uuid, form, rest.substr(valueFormatName(form).size()));
    }
    return std::nullopt;
}

bool mentionsSecret(std::string_view name) {
    const auto hasUuidAt = [&](std::size_t at) {
        return Uuid::parseCanonical(name.substr(at, Uuid::kTextLength)).has_value();
    };
    for (std::size_t at = 0; at + Uuid::kTextLength <= name.size(); ++at)
        if (hasUuidAt(at))
            return true;
    return std::ranges::any_of(kValueFormats, [&](ValueFormat form) {
        return name.find("." + std::string(valueFormatName(form))) != std::string_view::npos;
    });
}

bool hasDefinitionSuffix(std::string_view name) {
    return name.ends_with(kDefinition);
}

} // namespace keyhold::layout
