// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/usage.h"

#include "conf/sodium.h"

namespace keyhold {

const char *usageTypeName(UsageType type) {
    switch (type) {
    case UsageType::none:
        return "none";
    case UsageType::volume:
        return "volume";
    case UsageType::ceph:
        return "ceph";
    case UsageType::iscsi:
        return "iscsi";
    case UsageType::tls:
        return "tls";
    case UsageType::vtpm:
        return "vtpm";
    }
    return nullptr;
}

std::optional<UsageType> usageTypeFromName(std::string_view name) {
    for (int number = 0; const char *known = usageTypeName(UsageType{number}); ++number)
        if (name == known)
            return UsageType{number};
    return std::nullopt;
}

const char *usageElementName(UsageType type) {
    switch (type) {
    case UsageType::none:
        return nullptr;
    case UsageType::volume:
        return "volume";
    case UsageType::iscsi:
        return "target";
    case UsageType::ceph:
    case UsageType::tls:
    case UsageType::vtpm:
        return "name";
    }
    return nullptr;
}

std::size_t UsageHash::operator()(const Usage &usage) const {
    const auto *id = reinterpret_cast<const std::uint8_t *>(usage.id.data());
    return keyedHash({id, usage.id.size()}) + static_cast<std::size_t>(usage.type);
}

} // namespace keyhold
