// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/listing.h"

#include "directory/layout.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>

namespace keyhold {

namespace {

/// The name of a definition or of a value, in a form that sorts fast.
struct Name {
    std::uint64_t high;
    std::uint64_t low;
    std::uint32_t secret; ///< of a definition: its place in the listing
    ValueFormats form;    ///< of a value; 0 for a definition, which so comes before its values

    bool operator<(const Name &other) const {
        return std::tie(high, low, form, secret) <
               std::tie(other.high, other.low, other.form, other.secret);
    }
    [[nodiscard]] bool isOfSameSecret(const Name &other) const {
        return high == other.high && low == other.low;
    }
};

Name nameOf(const layout::FileName &file, std::size_t secret) {
    std::uint64_t halves[2];
    static_assert(sizeof halves == Uuid::kSize);
    std::memcpy(halves, file.uuid.bytes().data(), sizeof halves);
    return {halves[0], halves[1], static_cast<std::uint32_t>(secret),
            file.form ? only(*file.form) : ValueFormats{0}};
}

std::pair<Uuid, ValueFormat> valueOf(const Name &name) {
    const std::uint64_t halves[2] = {name.high, name.low};
    std::array<std::uint8_t, Uuid::kSize> bytes;
    std::memcpy(bytes.data(), halves, sizeof halves);
    return {Uuid(bytes), static_cast<ValueFormat>(std::countr_zero(name.form))};
}

/// Where a name belongs that stands for no file of ours.
std::vector<std::string> &listOfOthers(std::string_view name, Listing &listing) {
    if (layout::isQuarantineName(name))
        return listing.quarantined;
    if (layout::hasDefinitionSuffix(name))
        return listing.misnamed;
    return layout::mentionsSecret(name) ? listing.unknown : listing.foreign;
}

/// Gives the secrets their values.
void match(std::vector<Name> &names, Listing &listing) {
    std::sort(names.begin(), names.end());
    const Name *definition = nullptr;
    for (const Name &name : names) {
        const bool isKnown = definition != nullptr && definition->isOfSameSecret(name);
        if (name.form != 0 && isKnown)
            listing.secrets[definition->secret].forms |= name.form;
        else if (name.form != 0)
            listing.orphans.push_back(valueOf(name));
        else if (!isKnown) // else it was listed twice, as may happen beside changes
            definition = &name;
    }
}

} // namespace

Listing listStore(const StoreDirectory &directory) {
    Listing listing;
    std::vector<Name> names;
    directory.list([&](const char *text) {
        const auto file = layout::parseFileName(text);
        if (!file) {
            listOfOthers(text, listing).emplace_back(text);
            return;
        }
        if (file->stage != layout::Stage::current) {
            listing.privateNames.emplace_back(text);
            return;
        }
        names.push_back(nameOf(*file, listing.secrets.size()));
        if (!file->form)
            listing.secrets.push_back({file->uuid});
    });
    match(names, listing);
    return listing;
}

} // namespace keyhold
