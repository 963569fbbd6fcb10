// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_list.h"

#include "command/secrets.h"
#include "command/store_on_disk.h"
#include "conf/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

TEST(SecretNames, AreUuidsOrUses) {
    const std::string uuid = StoreFiles::uuid(1).toString();
    EXPECT_EQ(parseSecretName(uuid).uuid, StoreFiles::uuid(1));
    EXPECT_EQ(parseSecretName("ceph:a:b c").usage, (Usage{UsageType::ceph, "a:b c"}));
    EXPECT_EQ(parseSecretName("volume:/x").text(), "volume:/x");
    for (const char *wrong : {"", "ceph", "ceph:", "none:a", "Ceph:a", ":a", "1111"})
        EXPECT_THROW(static_cast<void>(parseSecretName(wrong)), Error) << wrong;
}

TEST(Served, FilesAndDaemonArePutTogether) {
    const auto file = [](int n) {
        SecretEntry entry;
        entry.uuid = StoreFiles::uuid(n);
        entry.hasFile = true;
        return entry;
    };
    SecretDefinition both;
    both.uuid = StoreFiles::uuid(2);
    both.description = "served";
    SecretDefinition ephemeral;
    ephemeral.uuid = StoreFiles::uuid(3);
    const auto entries = withServed({file(2), file(1)}, {ephemeral, both});
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_TRUE(entries[0].hasFile && !entries[0].isServed);
    EXPECT_TRUE(entries[1].hasFile && entries[1].isServed);
    EXPECT_EQ(entries[1].definition->description, "served");
    EXPECT_TRUE(!entries[2].hasFile && entries[2].isServed);
}

class Lists : public testing::Test {
  protected:
    template <typename Options>
    std::string run(Exit (*what)(const Options &), const Options &options) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        exit = what(options);
        notes = testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    StoreOnDisk store;
    Exit exit = Exit::failure;
    std::string notes;
};

TEST_F(Lists, EveryFormHasItsLine) {
    store.addPlain(1, "value");
    store.addSealed(2, "value", 7);
    store.define(3);
    store.configure(store.keyLine(7));
    const ListOptions options{store.choice(), {}, false};
    EXPECT_THAT(run(list, options), AllOf(ContainsRegex("01 +plain +- +[0-9]+s +- +ceph:use 1"),
                                          HasSubstr("sealed  " + keyIdOf(7).substr(0, 12) + " "),
                                          ContainsRegex("03 +none +- +- +- +ceph:use 3")));
    EXPECT_THAT(notes, HasSubstr("no process has them open"));
}

TEST_F(Lists, AValueThatCannotBeReadAndADefinitionThatCannot) {
    store.addSealed(1, "value", 7);
    store.addPlain(2, "value");
    store.put(StoreFiles::nameOf(2, "xml"), "<secret>");
    EXPECT_THAT(run(list, ListOptions{store.choice(), {}, false}),
                AllOf(HasSubstr("unreadable"), HasSubstr("broken")));
    EXPECT_THAT(
        run(show, ShowOptions{store.choice(), {}, {}, "ceph:use 1", false}),
        AllOf(HasSubstr("key           " + keyIdOf(7)), HasSubstr("used by       unknown")));
    EXPECT_EQ(exit, Exit::findings);
}

TEST_F(Lists, OneIsFoundByItsUuidOrUseAndAnAmbiguousUseIsTold) {
    store.addPlain(1, "value");
    store.addPlain(2, "value");
    const auto found = [&](const std::string &name) {
        const SecretList all = listSecrets(store.target(), {});
        return findEntry(all, parseSecretName(name)).uuid;
    };
    EXPECT_EQ(found("ceph:use 2"), StoreFiles::uuid(2));
    EXPECT_EQ(found(StoreFiles::uuid(1).toString()), StoreFiles::uuid(1));
    EXPECT_THROW(found("ceph:use 3"), Error);
    store.put(StoreFiles::nameOf(3, "xml"),
              "<secret><uuid>" + StoreFiles::uuid(3).toString() +
                  "</uuid><usage type='ceph'><name>use 1</name></usage></secret>");
    try {
        found("ceph:use 1");
        FAIL();
    } catch (const Error &error) {
        EXPECT_THAT(error.message(),
                    AllOf(HasSubstr("2 secrets"), HasSubstr(StoreFiles::uuid(1).toString()),
                          HasSubstr(StoreFiles::uuid(3).toString())));
    }
}

TEST_F(Lists, JsonHasAMemberForAllThatIsKnown) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7));
    const Json said = Json::parse(run(list, ListOptions{store.choice(), {}, true}))["stores"][0];
    EXPECT_EQ(said["definitionsOf"], "files");
    const Json &secret = said["secrets"][0];
    EXPECT_EQ(secret["usageId"], "use 1");
    EXPECT_EQ(secret["form"], "sealed");
    EXPECT_EQ(secret["key"], keyIdOf(7));
    EXPECT_EQ(secret["served"], Json());
    EXPECT_THAT(secret["changed"].get<std::string>(), ContainsRegex("^20..-..-..T..:..:..Z$"));
}

} // namespace
} // namespace keyhold::command
