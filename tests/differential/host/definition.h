// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

/// A usage type, the element of its id, and one that is of another type.
struct UsageKind {
    const char *type, *child, *wrong;
};
/// All but "none".
inline constexpr UsageKind kUsageKinds[] = {{"volume", "volume", "name"},
                                            {"ceph", "name", "volume"},
                                            {"iscsi", "target", "name"},
                                            {"tls", "name", "target"},
                                            {"vtpm", "name", "volume"}};
/// The words of all types, "none" first.
[[nodiscard]] std::vector<std::string> usageTypes();

/// A <secret> document as scenarios write it. Members that are left out are not written.
struct Definition {
    std::string uuid = {};
    const char *type = nullptr; ///< usage type
    std::string id = {};        ///< usage id, under the element that belongs to the type
    std::string description = {};
    const char *ephemeral = nullptr;
    const char *isPrivate = nullptr;
};

/// The document; texts are written as they are, without escaping.
[[nodiscard]] std::string toXml(const Definition &definition);

/// The n-th uuid that scenarios choose; it keeps its text in the transcript.
[[nodiscard]] std::string chosenUuid(unsigned number);
/// True for those, and for the uuids of all zeros and of all f.
[[nodiscard]] bool isChosenUuid(std::string_view uuid);

} // namespace keyhold
