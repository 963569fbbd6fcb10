// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/usage.h"

#include "conf/bytes.h"
#include "conf/sodium.h"

namespace keyhold {

UsageWords usageWords(UsageType type) {
    switch (type) {
    case UsageType::none:
        return {"none", nullptr, nullptr};
    case UsageType::volume:
        return {"volume", "volume", "volume usage specified, but volume path is missing"};
    case UsageType::ceph:
        return {"ceph", "name", "Ceph usage specified, but name is missing"};
    case UsageType::iscsi:
        return {"iscsi", "target", "iSCSI usage specified, but target is missing"};
    case UsageType::tls:
        return {"tls", "name", "TLS usage specified, but name is missing"};
    case UsageType::vtpm:
        return {"vtpm", "name", "vTPM usage specified, but name is missing"};
    }
    return {};
}

std::optional<UsageType> usageTypeFromName(std::string_view name) {
    for (int number = 0; const char *known = usageWords(UsageType{number}).type; ++number)
        if (name == known)
            return UsageType{number};
    return std::nullopt;
}

std::size_t UsageHash::operator()(const Usage &usage) const {
    return keyedHash(bytesOf(usage.id)) + static_cast<std::size_t>(usage.type);
}

} // namespace keyhold
