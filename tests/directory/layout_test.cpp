// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace keyhold::layout {
namespace {

constexpr const char *kText = "0a1b2c3d-0000-4000-8000-00000000abcd";
const std::string kHash = "0123456789abcdef";

Uuid theUuid() {
    return *Uuid::parseCanonical(kText);
}

struct Name {
    std::string name;
    Stage stage;
    std::optional<ValueFormat> form = std::nullopt;

    [[nodiscard]] bool isPublic() const { return stage == Stage::current; }
};

std::vector<Name> allNames() {
    const Uuid uuid = theUuid();
    std::vector<Name> names = {{definitionName(uuid), Stage::current},
                               {definitionName(uuid, Stage::fresh), Stage::fresh},
                               {definitionName(uuid, Stage::leaving), Stage::leaving},
                               {definitionName(uuid, Stage::old), Stage::old}};
    for (const ValueFormat form : kValueFormats)
        for (const Name &name : {Name{valueName(uuid, form), Stage::current, form},
                                 Name{valueName(uuid, form, Stage::fresh), Stage::fresh, form},
                                 Name{awaitingValueName(uuid, form, kHash), Stage::awaiting, form},
                                 Name{valueName(uuid, form, Stage::leaving), Stage::leaving, form},
                                 Name{valueName(uuid, form, Stage::old), Stage::old, form}})
            names.push_back(name);
    return names;
}

TEST(LayoutTest, PublicNamesAreThoseOfTheStockDriver) {
    EXPECT_EQ(std::string(kText) + ".xml", definitionName(theUuid()));
    EXPECT_EQ(std::string(kText) + ".base64", valueName(theUuid(), ValueFormat::plain));
}

TEST(LayoutTest, EveryNameIsParsedAsWhatItWasMadeFor) {
    for (const Name &made : allNames()) {
        const auto parsed = parseFileName(made.name);
        ASSERT_TRUE(parsed.has_value()) << made.name;
        EXPECT_EQ(made.stage, parsed->stage) << made.name;
        EXPECT_EQ(made.form, parsed->form) << made.name;
        EXPECT_EQ(theUuid(), parsed->uuid) << made.name;
        EXPECT_EQ(made.stage == Stage::awaiting ? kHash : "", parsed->definitionHash);
    }
}

TEST(LayoutTest, NoTwoNamesAreTheSame) {
    std::vector<std::string> names;
    for (const Name &made : allNames())
        names.push_back(made.name);
    names.push_back(quarantineName(theUuid(), ValueFormat::plain, 1));
    names.push_back(quarantineName(theUuid(), ValueFormat::plain, 2));
    names.push_back(awaitingValueName(theUuid(), ValueFormat::plain, "fedcba9876543210"));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names.end(), std::adjacent_find(names.begin(), names.end()));
}

TEST(LayoutTest, AStockLoaderSkipsPrivateNamesAndReadsNoneAsAValue) {
    for (const Name &made : allNames()) {
        EXPECT_EQ(made.isPublic() && !made.form, hasDefinitionSuffix(made.name)) << made.name;
        EXPECT_EQ(made.isPublic() && made.form == ValueFormat::plain,
                  made.name.ends_with(".base64"))
            << made.name;
    }
    EXPECT_FALSE(hasDefinitionSuffix(quarantineName(theUuid(), ValueFormat::plain, 7)));
    EXPECT_FALSE(quarantineName(theUuid(), ValueFormat::plain, 7).ends_with(".base64"));
}

TEST(LayoutTest, PrivateNamesSayWhoseTheyAre) {
    for (const Name &made : allNames()) {
        if (!made.isPublic()) {
            EXPECT_THAT(made.name, testing::HasSubstr(".keyhold-"));
        }
    }
}

TEST(LayoutTest, AFileThatWasQuarantinedIsNobodysToRemove) {
    for (const unsigned n : {1U, 2U, 10U, 4294967295U})
        EXPECT_FALSE(parseFileName(quarantineName(theUuid(), ValueFormat::plain, n)).has_value())
            << n;
}

TEST(LayoutTest, NearMissesAreNotOurs) {
    const std::string u = kText;
    const std::vector<std::string> names = {
        "", ".", "..", "x", u, u + ".", u + "xml", u + ".xm", u + ".xml ", u + ".XML",
        u + ".xml.new", u + ".base64.new", u + ".base6", u + ".base644", u + ".base64.",
        u + ".orphan", u + ".jwe2", u + ".aes256cb", u + ".xml.keyhold-new2", u + ".xml.keyhold-ne",
        u + ".xml.keyhold-", u + ".xml.keyhold-for-0123456789abcdef", u + ".base64.keyhold-for-",
        u + ".base64.keyhold-for", u + ".base64.keyhold-old.bak", u + ".base64.aside-",
        u + ".base64~", "." + u + ".xml", " " + u + ".xml", u + "/x.xml",
        // Another spelling of the uuid is another file.
        "0A1B2C3D-0000-4000-8000-00000000ABCD.xml", "0a1b2c3d000040008000000000000abcd.xml",
        "0a1b2c3d00004000800000000000abcd.xml", "{" + u + "}.xml", "foo.xml", ".xml", ".base64",
        "0a1b2c3d-0000-4000-8000-00000000abc.xml", "0a1b2c3d-0000-4000-8000-00000000abcg.xml",
        "0a1b2c3d-0000-4000-8000_00000000abcd.xml", "xxx-" + u + ".xml"};
    for (const std::string &name : names)
        EXPECT_FALSE(parseFileName(name).has_value()) << '"' << name << '"';
}

TEST(LayoutTest, ANameWithSomethingElseThanAHashIsNotOurs) {
    const std::string start = std::string(kText) + ".base64.keyhold-for-";
    for (const char *hash :
         {"", "0", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg",
          "0123456789ab.xml", "a backup of mine", "................"})
        EXPECT_FALSE(parseFileName(start + hash).has_value()) << hash;
    EXPECT_TRUE(parseFileName(start + kHash).has_value());
}

TEST(LayoutTest, MisnamedDefinitionsAreRecognized) {
    EXPECT_TRUE(hasDefinitionSuffix("foo.xml"));
    EXPECT_TRUE(hasDefinitionSuffix(".xml"));
    EXPECT_FALSE(hasDefinitionSuffix("foo.xml.new"));
    EXPECT_FALSE(hasDefinitionSuffix("xml"));
    EXPECT_FALSE(hasDefinitionSuffix(""));
}

TEST(LayoutTest, TheHashOfADefinitionStaysTheSameBetweenReleases) {
    // From Python: hashlib.blake2b(text, digest_size=16).hexdigest()[:16].
    EXPECT_EQ("cae66941d9efbd40", hashOfDefinition(""));
    EXPECT_EQ("1c5d732a66f79ab0", hashOfDefinition("<secret/>"));
}

TEST(LayoutTest, DefinitionsThatDifferHaveOtherHashes) {
    EXPECT_NE(hashOfDefinition("<secret/>"), hashOfDefinition("<secret/>\n"));
    EXPECT_NE(hashOfDefinition(std::string_view("\0", 1)), hashOfDefinition(""));
}

} // namespace
} // namespace keyhold::layout
