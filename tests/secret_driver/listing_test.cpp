// SPDX-License-Identifier: LGPL-2.1-or-later
// The lists of the secret table (src/secret_driver/calls.cpp).
#include "remote/error_report.h"
#include "secret_driver/caller_memory.h"
#include "secret_driver/calls_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

namespace keyhold {

namespace {

using testing::Each;
using testing::IsNull;

using Numbers = std::set<unsigned>;

class Lists : public WithCalls {
  protected:
    /// Of the four kinds one each: 1 plain, 2 ephemeral, 3 private, 4 both.
    void defineEveryKind() {
        for (unsigned number = 1; number <= 4; ++number)
            define(number, number == 2 || number == 4, number >= 3);
    }
    /// The secrets in a list of handles, which must be as long as its count and end in null.
    [[nodiscard]] Numbers listed(unsigned int flags) {
        virSecretPtr *raw = nullptr;
        const int count = calls::listAll(*instance_, connection_.get(), &raw, flags);
        const CallerArray<virSecretPtr> handles(raw);
        Numbers numbers;
        for (int i = 0; i < count; ++i) {
            unsigned char uuid[VIR_UUID_BUFLEN] = {};
            virSecretGetUUID(handles[static_cast<std::size_t>(i)], uuid);
            virSecretFree(handles[static_cast<std::size_t>(i)]);
            numbers.insert(uuid[0]);
        }
        EXPECT_EQ(numbers.size(), static_cast<std::size_t>(count));
        EXPECT_EQ(handles[static_cast<std::size_t>(count)], nullptr);
        EXPECT_EQ(calls::listAll(*instance_, connection_.get(), nullptr, flags), count);
        return numbers;
    }
    /// The uuids that a list with room for `room` gives; what it leaves must be null.
    [[nodiscard]] std::set<std::string> uuids(int room) {
        std::vector<char *> raw(static_cast<std::size_t>(room) + 1, nullptr);
        char unused = 0;
        std::fill(raw.begin(), raw.end(), &unused);
        const int count = calls::listUuids(*instance_, connection_.get(), raw.data(), room);
        EXPECT_EQ(raw.back(), &unused) << "written behind the room";
        std::set<std::string> found;
        for (int i = 0; i < room; ++i) {
            const CallerArray<char> text(raw[static_cast<std::size_t>(i)]);
            EXPECT_EQ(text == nullptr, i >= count) << i;
            if (text)
                found.insert(text.get());
        }
        EXPECT_EQ(found.size(), static_cast<std::size_t>(count));
        return found;
    }
};

constexpr unsigned int kEphemeral = VIR_CONNECT_LIST_SECRETS_EPHEMERAL;
constexpr unsigned int kPersistent = VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL;
constexpr unsigned int kPrivate = VIR_CONNECT_LIST_SECRETS_PRIVATE;
constexpr unsigned int kPublic = VIR_CONNECT_LIST_SECRETS_NO_PRIVATE;

} // namespace

TEST_F(Lists, AnEmptyInstanceHasNothing) {
    EXPECT_EQ(calls::count(*instance_, connection_.get()), 0);
    EXPECT_EQ(listed(0), Numbers());
    EXPECT_TRUE(uuids(0).empty());
    EXPECT_TRUE(uuids(3).empty());
}

TEST_F(Lists, EachPairOfFiltersNarrowsIfOneOfItIsSet) {
    defineEveryKind();
    EXPECT_EQ(calls::count(*instance_, connection_.get()), 4);
    EXPECT_EQ(listed(0), Numbers({1, 2, 3, 4}));
    EXPECT_EQ(listed(kEphemeral), Numbers({2, 4}));
    EXPECT_EQ(listed(kPersistent), Numbers({1, 3}));
    EXPECT_EQ(listed(kPrivate), Numbers({3, 4}));
    EXPECT_EQ(listed(kPublic), Numbers({1, 2}));
    EXPECT_EQ(listed(kEphemeral | kPersistent), Numbers({1, 2, 3, 4}));
    EXPECT_EQ(listed(kEphemeral | kPublic), Numbers({2}));
    EXPECT_EQ(listed(kPersistent | kPrivate), Numbers({3}));
    EXPECT_EQ(listed(kEphemeral | kPersistent | kPrivate), Numbers({3, 4}));
    EXPECT_EQ(listed(calls::kListFlags), Numbers({1, 2, 3, 4}));
}

TEST_F(Lists, UuidsFillTheRoomThereIs) {
    defineEveryKind();
    std::set<std::string> all;
    for (unsigned number = 1; number <= 4; ++number)
        all.insert(uuidOf(number).toString());
    EXPECT_EQ(uuids(4), all);
    EXPECT_EQ(uuids(7), all);
    EXPECT_EQ(uuids(2).size(), 2U);
    EXPECT_TRUE(uuids(0).empty());
}

TEST_F(Lists, WhoMayNotListGetsLibvirtsErrorAndNothingElse) {
    defineEveryKind();
    refuseEverything();
    EXPECT_THROW((void)calls::count(*instance_, connection_.get()), ErrorAlreadyRaised);
    virSecretPtr *handles = nullptr;
    EXPECT_THROW((void)calls::listAll(*instance_, connection_.get(), &handles, 0),
                 ErrorAlreadyRaised);
    EXPECT_EQ(handles, nullptr);
    char unused = 0;
    std::vector<char *> texts(4, &unused);
    EXPECT_THROW((void)calls::listUuids(*instance_, connection_.get(), texts.data(), 4),
                 ErrorAlreadyRaised);
    EXPECT_THAT(texts, Each(IsNull()));
}

TEST_F(Lists, AStoreThatCouldNotBeReadIsToldAndNotTakenForEmpty) {
    instance_.reset();
    std::filesystem::remove_all(paths().configDirectory);
    std::ofstream(paths().configDirectory) << "not a directory";
    instance_ = start();
    EXPECT_THAT(messageOf([&] { (void)calls::count(*instance_, connection_.get()); }),
                testing::HasSubstr(paths().configDirectory));
    EXPECT_THROW((void)uuids(4), Error);
    EXPECT_THROW((void)listed(0), Error);
}

} // namespace keyhold
