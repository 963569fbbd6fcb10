// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/usage.h"

#include "conf/usage_types.h"

#include <gtest/gtest.h>

#include <set>

namespace keyhold {
namespace {

struct UsageRow {
    UsageType type;
    int number; ///< virSecretUsageType
    const char *name;
    const char *element;
};

constexpr UsageRow kUsages[] = {
    {UsageType::none, 0, "none", nullptr}, {UsageType::volume, 1, "volume", "volume"},
    {UsageType::ceph, 2, "ceph", "name"},  {UsageType::iscsi, 3, "iscsi", "target"},
    {UsageType::tls, 4, "tls", "name"},    {UsageType::vtpm, 5, "vtpm", "name"},
};

TEST(Usage, NumbersAreThoseOfLibvirt) {
    for (const UsageRow &row : kUsages)
        EXPECT_EQ(static_cast<int>(row.type), row.number) << row.name;
}

TEST(Usage, EveryTypeHasItsRow) {
    EXPECT_EQ(allUsageTypes().size(), std::size(kUsages));
}

TEST(Usage, NamesLeadBackToTheirTypes) {
    for (const UsageRow &row : kUsages) {
        EXPECT_STREQ(usageWords(row.type).type, row.name);
        EXPECT_EQ(usageTypeFromName(row.name), row.type);
    }
}

TEST(Usage, OtherWordsAreNoTypes) {
    for (const char *word : {"", "bogus", "VOLUME", "Ceph", " ceph", "ceph ", "cep", "0", "1"})
        EXPECT_EQ(usageTypeFromName(word), std::nullopt) << '"' << word << '"';
}

TEST(Usage, EachTypeHasItsElement) {
    for (const UsageRow &row : kUsages)
        EXPECT_STREQ(usageWords(row.type).element, row.element) << row.name;
}

TEST(Usage, TypeAndIdBothCount) {
    const Usage usage{UsageType::ceph, "id"};
    EXPECT_EQ(usage, (Usage{UsageType::ceph, "id"}));
    EXPECT_NE(usage, (Usage{UsageType::tls, "id"}));
    EXPECT_NE(usage, (Usage{UsageType::ceph, "ID"}));
}

TEST(Usage, HashCountsTypeAndId) {
    const UsageHash hash;
    EXPECT_EQ(hash({UsageType::ceph, "id"}), hash({UsageType::ceph, std::string("id")}));
    std::set<std::size_t> seen;
    for (const UsageRow &row : kUsages)
        for (const char *id : {"id", "ID", "id ", ""})
            EXPECT_TRUE(seen.insert(hash({row.type, id})).second) << row.name << ' ' << id;
}

} // namespace
} // namespace keyhold
