// SPDX-License-Identifier: LGPL-2.1-or-later
// What the log has of values that cannot be had or re-encrypted: a line a cause.
#include "store/unreadable_values.h"

#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class UnreadableValuesTest : public testing::Test {
  protected:
    void store(int n, std::uint8_t key) {
        bench.policy->set(policyWith(key));
        const auto live = bench.start();
        live->define(definitionOf(n), allow);
        live->setValue(uuidNumber(n), bytes("value"), allow);
    }
    [[nodiscard]] std::string idOf(std::uint8_t key) const {
        return policyWith(key)->keyring().current()->id();
    }
    /// What is told while `work` runs.
    template <typename Work>
    std::vector<std::string> toldBy(const Work &work) {
        const auto told = static_cast<std::ptrdiff_t>(bench.log.lines().size());
        work();
        const auto lines = bench.log.lines();
        return {lines.begin() + told, lines.end()};
    }
    std::vector<std::string> toldByAReload(SecretStore &live) {
        return toldBy([&] { live.reload(); });
    }

    StoreBench bench;
};

TEST_F(UnreadableValuesTest, AStartTellsAMissingKeyOnceWithTheNumberOfValues) {
    for (const int n : {1, 2, 3})
        store(n, 1);
    bench.policy->set(policyWith(2));
    const auto told = toldBy([&] { static_cast<void>(bench.start()); });
    EXPECT_THAT(
        told, ElementsAre(
                  AllOf(StartsWith("error: 3 secrets are served without their values, such as '" +
                                   uuidNumber(1).toString() + "': '/store/"),
                        HasSubstr("is sealed with key '" + idOf(1) + "', which is not configured"),
                        HasSubstr("and reload; 'keyhold verify --verbose' names them all"))));
}

TEST_F(UnreadableValuesTest, OneValueIsNamedByItself) {
    store(1, 1);
    bench.policy->set(policyWith(2));
    EXPECT_THAT(toldBy([&] { static_cast<void>(bench.start()); }),
                ElementsAre(StartsWith("error: secret '" + uuidNumber(1).toString() +
                                       "' is served without its value: '/store/")));
}

TEST_F(UnreadableValuesTest, TwoMissingKeysAreTwoCauses) {
    store(1, 1);
    store(2, 1);
    store(3, 2);
    bench.policy->set(policyWith(3));
    EXPECT_THAT(toldBy([&] { static_cast<void>(bench.start()); }),
                UnorderedElementsAre(
                    AllOf(StartsWith("error: 2 secrets are served without"), HasSubstr(idOf(1))),
                    AllOf(StartsWith("error: secret '"), HasSubstr(idOf(2)))));
}

TEST_F(UnreadableValuesTest, AReloadTellsWhatIsNewAlone) {
    for (const int n : {1, 2, 3, 4})
        store(n, 1);
    bench.policy->set(policyWith(2));
    const auto live = bench.start();
    EXPECT_THAT(toldByAReload(*live), IsEmpty());
    live->undefine(uuidNumber(4), allow);
    EXPECT_THAT(toldByAReload(*live), ElementsAre(StartsWith("error: 3 secrets are served")));
    EXPECT_THAT(toldByAReload(*live), IsEmpty());
    bench.policy->set(policyWith(1));
    EXPECT_THAT(toldByAReload(*live), IsEmpty());
    bench.policy->set(policyWith(2));
    EXPECT_THAT(toldByAReload(*live), ElementsAre(StartsWith("error: 3 secrets keep the values")));
}

TEST_F(UnreadableValuesTest, WhatIsKeptFromMemoryIsToldApart) {
    store(1, 1);
    store(2, 1);
    const auto live = bench.start();
    bench.policy->set(policyWith(2));
    EXPECT_THAT(toldByAReload(*live),
                ElementsAre(AllOf(StartsWith("error: 2 secrets keep the values they had, such as"),
                                  HasSubstr(idOf(1)))));
    EXPECT_EQ(stateOf(*live, 1).value, "=value");
}

TEST_F(UnreadableValuesTest, EachKindOfDamageIsToldOnceAtEachReload) {
    for (const int n : {1, 2, 3, 4, 5})
        store(n, 1);
    const auto sealed = [&](int n) { return *bench.content(valueName(n, ValueFormat::jwe)); };
    std::string altered = sealed(3);
    altered.back() = altered.back() == 'A' ? 'Q' : 'A';
    bench.put(valueName(1, ValueFormat::jwe), "damaged");
    bench.put(valueName(2, ValueFormat::jwe), "damaged");
    bench.put(valueName(3, ValueFormat::jwe), altered);
    bench.put(valueName(4, ValueFormat::jwe), sealed(5));
    bench.put(valueName(5, ValueFormat::jwe), altered);
    const auto live = bench.start();
    const auto each = UnorderedElementsAre(
        AllOf(StartsWith("error: 2 secrets are served without their values, such as '" +
                         uuidNumber(1).toString() + "': '" +
                         bench.path(valueName(1, ValueFormat::jwe)) + "' is damaged: it does not"),
              HasSubstr("; put the file right and reload, or set the value again; 'keyhold verify "
                        "--verbose' names them all")),
        AllOf(StartsWith("error: secret '" + uuidNumber(3).toString() + "' is served without"),
              HasSubstr("' was altered: it does not authenticate under key '" + idOf(1))),
        AllOf(StartsWith("error: 2 secrets are served without their values, such as '" +
                         uuidNumber(4).toString()),
              HasSubstr("' was sealed for secret '" + uuidNumber(5).toString() + "', not")));
    EXPECT_THAT(toldByAReload(*live), each);
    EXPECT_THAT(toldByAReload(*live), each);
}

TEST_F(UnreadableValuesTest, AlteredValuesAreOneLine) {
    for (const int n : {1, 2, 3}) {
        store(n, 1);
        std::string altered = *bench.content(valueName(n, ValueFormat::jwe));
        altered.back() = altered.back() == 'A' ? 'Q' : 'A';
        bench.put(valueName(n, ValueFormat::jwe), altered);
    }
    EXPECT_THAT(toldBy([&] { static_cast<void>(bench.start()); }),
                ElementsAre(AllOf(StartsWith("error: 3 secrets are served without their values"),
                                  HasSubstr("was altered: it does not authenticate under key '" +
                                            idOf(1) + "'; put the file right and reload"))));
}

TEST_F(UnreadableValuesTest, OneReasonForNotReencryptingIsOneLine) {
    FaultyFileSystem faulty(bench.disk);
    for (const int n : {1, 2, 3})
        store(n, 1);
    bench.policy->set(policyWith(2, {1}));
    bench.fileSystem = &faulty;
    const auto live = bench.start();
    faulty.before(Operation::open, "keyhold-new", [] { throw std::bad_alloc(); });
    EXPECT_THAT(toldBy([&] { live->reencrypt([] { return false; }); }),
                ElementsAre(StartsWith("notice: re-encrypting 3 stored values"),
                            "error: 3 values were not re-encrypted, such as that of secret '" +
                                uuidNumber(1).toString() + "': no memory",
                            StartsWith("warning: re-encrypted 0 of 3 values; 3 failed")));
    const auto ended = live->lastReencryption();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->reencrypted, 0U);
    EXPECT_EQ(ended->failed, 3U);
}

} // namespace
} // namespace keyhold
