// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_names.h"

#include "directory/layout.h"
#include "directory/listing.h"

#include <algorithm>
#include <iterator>

namespace keyhold::command {

std::vector<Uuid> secretsIn(const StoreDirectory &directory) {
    std::vector<Uuid> uuids;
    for (int reading = 0; reading < 2; ++reading)
        std::ranges::transform(listStore(directory).secrets, std::back_inserter(uuids),
                               &ListedSecret::uuid);
    std::ranges::sort(uuids);
    uuids.erase(std::unique(uuids.begin(), uuids.end()), uuids.end());
    return uuids;
}

std::vector<StoreFinding> strayFilesIn(const StoreDirectory &directory) {
    using Kind = StoreFinding::Kind;
    const Listing listing = listStore(directory);
    std::vector<StoreFinding> found;
    const auto addAll = [&](Kind kind, const std::vector<std::string> &names) {
        for (const std::string &name : names)
            found.push_back({.kind = kind, .file = name});
    };
    addAll(Kind::quarantinedValue, listing.quarantined);
    addAll(Kind::misnamedDefinition, listing.misnamed);
    addAll(Kind::unknownName, listing.unknown);
    for (const auto &[uuid, format] : listing.orphans) {
        // In a listing beside changes it may have lost its definition only by its place in it.
        if (directory.contains(layout::valueName(uuid, format)) &&
            !directory.contains(layout::definitionName(uuid)))
            found.push_back({.kind = Kind::orphanedValue, .file = layout::valueName(uuid, format)});
    }
    std::ranges::sort(found, {}, &StoreFinding::file);
    return found;
}

} // namespace keyhold::command
