// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include <gtest/gtest.h>
#include <libxml/xmlversion.h>

#include <set>

namespace keyhold {
namespace {

#define UUID_TEXT "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
#define UUID_ELEMENT "<uuid>" UUID_TEXT "</uuid>"
// Documents that say nothing but their root.
#define EMPTY_IN(root, attributes) "<" root attributes ">" UUID_ELEMENT "</" root ">"

SecretDefinition secret(Usage usage = {}, std::string description = "") {
    return {*Uuid::parse(UUID_TEXT), false, false, std::move(description), std::move(usage)};
}

SecretDefinition ephemeral(SecretDefinition definition) {
    definition.isEphemeral = true;
    return definition;
}

SecretDefinition privateOne(SecretDefinition definition) {
    definition.isPrivate = true;
    return definition;
}

/// One document that the stock driver accepts, with what it makes of it.
struct Accepted {
    const char *name;
    const char *xml;
    SecretDefinition definition;
};

void PrintTo(const Accepted &row, std::ostream *out) {
    *out << row.xml;
}

class AcceptedXml : public testing::TestWithParam<Accepted> {};

TEST_P(AcceptedXml, FromAClientMeansWhatStockMakesOfIt) {
    EXPECT_EQ(formatSecretXml(parseSecretXml(GetParam().xml)),
              formatSecretXml(GetParam().definition));
}

TEST_P(AcceptedXml, FromAFileMeansTheSame) {
    const std::string_view xml = GetParam().xml;
    EXPECT_EQ(parseSecretFile(xml, "/x.xml"), GetParam().definition);
}

std::string nameOf(const testing::TestParamInfo<Accepted> &info) {
    return info.param.name;
}

const Accepted kAttributes[] = {
    {"uuidOnly", "<secret>" UUID_ELEMENT "</secret>", secret()},
    {"ephemeralYes", EMPTY_IN("secret", " ephemeral='yes'"), ephemeral(secret())},
    {"ephemeralNo", EMPTY_IN("secret", " ephemeral='no'"), secret()},
    {"ephemeralEmpty", EMPTY_IN("secret", " ephemeral=''"), secret()},
    {"privateYes", EMPTY_IN("secret", " private='yes'"), privateOne(secret())},
    {"privateNo", EMPTY_IN("secret", " private='no'"), secret()},
    {"privateEmpty", EMPTY_IN("secret", " private=''"), secret()},
    {"bothYes", EMPTY_IN("secret", " private=\"yes\" ephemeral=\"yes\""),
     ephemeral(privateOne(secret()))},
    {"attributeInANamespace", EMPTY_IN("secret", " xmlns:p='urn:p' p:private='maybe'"), secret()},
    {"unknownAttribute", EMPTY_IN("secret", " colour='red'"), secret()},
};
INSTANTIATE_TEST_SUITE_P(Attributes, AcceptedXml, testing::ValuesIn(kAttributes), nameOf);

const Accepted kUuids[] = {
    {"withoutDashes", "<secret><uuid>0a81f5b284037b23c8d621ccc2f80d6f</uuid></secret>", secret()},
    {"dashesAnywhere", "<secret><uuid>--0a-81f5b28403-7b23c8d621ccc2f80d6f</uuid></secret>",
     secret()},
    {"blanksAround", "<secret><uuid> \n" UUID_TEXT "\n </uuid></secret>", secret()},
    {"upperCase", "<secret><uuid>0A81F5B2-8403-7B23-C8D6-21CCC2F80D6F</uuid></secret>", secret()},
    {"twoUuids", "<secret>" UUID_ELEMENT "<uuid>nope</uuid></secret>", secret()},
};
INSTANTIATE_TEST_SUITE_P(Uuids, AcceptedXml, testing::ValuesIn(kUuids), nameOf);

#define WITH_USAGE(usage) "<secret>" UUID_ELEMENT usage "</secret>"
#define CEPH(child) WITH_USAGE("<usage type='ceph'>" child "</usage>")

const Accepted kUsages[] = {
    {"none", WITH_USAGE("<usage type='none'/>"), secret()},
    {"noneWithChild", WITH_USAGE("<usage type='none'><name>n</name></usage>"), secret()},
    {"volume", WITH_USAGE("<usage type='volume'><volume>/a</volume></usage>"),
     secret({UsageType::volume, "/a"})},
    {"volumeOfRelativePath", WITH_USAGE("<usage type='volume'><volume>a b</volume></usage>"),
     secret({UsageType::volume, "a b"})},
    {"ceph", CEPH("<name>client.admin secret</name>"),
     secret({UsageType::ceph, "client.admin secret"})},
    {"iscsi", WITH_USAGE("<usage type='iscsi'><target>iqn.2013-07:a</target></usage>"),
     secret({UsageType::iscsi, "iqn.2013-07:a"})},
    {"tls", WITH_USAGE("<usage type='tls'><name>t</name></usage>"), secret({UsageType::tls, "t"})},
    {"vtpm", WITH_USAGE("<usage type='vtpm'><name>v</name></usage>"),
     secret({UsageType::vtpm, "v"})},
    {"blankId", CEPH("<name>  </name>"), secret({UsageType::ceph, "  "})},
    {"idWithLinesAndSlash", CEPH("<name>a\n/b\n</name>"), secret({UsageType::ceph, "a\n/b\n"})},
    {"twoIds", CEPH("<name>first</name><name>second</name>"), secret({UsageType::ceph, "first"})},
    {"childOfAnotherType", CEPH("<volume>/v</volume><name>n</name>"),
     secret({UsageType::ceph, "n"})},
    {"nestedId", WITH_USAGE("<usage type='volume'><volume>/a<b>c</b>d</volume></usage>"),
     secret({UsageType::volume, "/acd"})},
    {"twoUsages",
     WITH_USAGE(
         "<usage type='ceph'><name>n</name></usage><usage type='tls'><name>t</name></usage>"),
     secret({UsageType::ceph, "n"})},
    // The next two are accepted by libvirt 9.0.0 and refused by 11.3.0.
    {"firstUsageWithoutType", WITH_USAGE("<usage/><usage type='ceph'><name>n</name></usage>"),
     secret({UsageType::ceph, "n"})},
    {"firstUsageWithoutId",
     WITH_USAGE("<usage type='ceph'/><usage type='tls'><name>n</name></usage>"),
     secret({UsageType::ceph, "n"})},
};
INSTANTIATE_TEST_SUITE_P(Usages, AcceptedXml, testing::ValuesIn(kUsages), nameOf);

#define DESCRIBED(text) "<secret>" UUID_ELEMENT "<description>" text "</description></secret>"

const Accepted kTexts[] = {
    {"emptyDescription", DESCRIBED(""), secret()},
    {"blankDescription", DESCRIBED("  \n "), secret({}, "  \n ")},
    {"twoDescriptions",
     "<secret>" UUID_ELEMENT "<description>1</description><description>2"
     "</description></secret>",
     secret({}, "1")},
    {"emptyFirstDescription",
     "<secret>" UUID_ELEMENT "<description/><description>2</description></secret>", secret()},
    {"unknownElementsAndText",
     "<secret>text<foo><uuid>x</uuid></foo>" UUID_ELEMENT "<bar/>text</secret>", secret()},
    {"commentsAndInstructions",
     "<?a b?><!-- a --><secret><!-- b --><?c d?>" UUID_ELEMENT
     "<description>a<!-- c -->b<?e f?>d</description></secret><!-- g -->",
     secret({}, "abd")},
    {"cdata", DESCRIBED("a<![CDATA[<&>]]>b"), secret({}, "a<&>b")},
    {"onlyCdata", DESCRIBED("<![CDATA[<&>]]>"), secret({}, "<&>")},
    {"escapes", DESCRIBED("&amp;&lt;&gt;&apos;&quot;&#x41;&#66;&#13;"), secret({}, "&<>'\"AB\r")},
    {"lineEnds", DESCRIBED("a\r\nb\rc\nd"), secret({}, "a\nb\nc\nd")},
    {"utf8", DESCRIBED("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91"),
     secret({}, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91")},
    {"byteOrderMark", "\xef\xbb\xbf" DESCRIBED("d"), secret({}, "d")},
    {"declaration", "<?xml version='1.0' encoding='UTF-8'?>\n" DESCRIBED("d"), secret({}, "d")},
    {"documentType", "<!DOCTYPE secret SYSTEM 'file:///nowhere.dtd'>" DESCRIBED("d"),
     secret({}, "d")},
    {"internalEntity",
     "<!DOCTYPE secret [<!ENTITY e 'expanded'>]><secret>" UUID_ELEMENT
     "<description>x&e;y</description><usage type='ceph'><name>n&e;</name></usage></secret>",
     secret({UsageType::ceph, "nexpanded"}, "xexpandedy")},
    {"entityInAttribute",
     "<!DOCTYPE secret [<!ENTITY e 'yes'>]>" EMPTY_IN("secret", " private='&e;'"),
     privateOne(secret())},
    {"entityOfElements",
     "<!DOCTYPE secret [<!ENTITY e '<description>in</description>'>]><secret>" UUID_ELEMENT
     "&e;<description>o&e;ut</description></secret>",
     secret({}, "oinut")},
};
INSTANTIATE_TEST_SUITE_P(Texts, AcceptedXml, testing::ValuesIn(kTexts), nameOf);

const Accepted kNamespaces[] = {
    {"ofAChild",
     "<secret xmlns:x='urn:x'>" UUID_ELEMENT "<x:description>x</x:description></secret>", secret()},
    {"unknownPrefix", "<secret>" UUID_ELEMENT "<y:description>y</y:description></secret>",
     secret()},
    {"undoneForAChild", "<secret xmlns='urn:x'><uuid xmlns=''>" UUID_TEXT "</uuid></secret>",
     secret()},
    {"prefixOfTheRoot", EMPTY_IN("x:secret", " xmlns:x='urn:x' private='yes'"),
     privateOne(secret())},
};
INSTANTIATE_TEST_SUITE_P(Namespaces, AcceptedXml, testing::ValuesIn(kNamespaces), nameOf);

/// Documents without a uuid get a random one each time.
class UuidIsGenerated : public testing::TestWithParam<const char *> {};

TEST_P(UuidIsGenerated, AndNotRepeated) {
    std::set<Uuid> seen;
    for (int i = 0; i < 10; ++i) {
        const SecretDefinition definition = parseSecretXml(GetParam());
        EXPECT_TRUE(seen.insert(definition.uuid).second);
        EXPECT_EQ(definition.uuid.bytes()[6] & 0xf0, 0x40);
        EXPECT_EQ(definition, (SecretDefinition{definition.uuid, false, false, "", {}}));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Secret, UuidIsGenerated,
    testing::Values("<secret/>", "<secret></secret>", "<secret><uuid/></secret>",
                    "<secret><uuid></uuid></secret>", "<secret><uuid><!-- c --></uuid></secret>",
                    "<secret xmlns='urn:x'>" UUID_ELEMENT "<description>d</description></secret>"));

TEST(SecretXml, ReadsUuidsOfAllZerosAndOnes) {
    EXPECT_EQ(parseSecretXml("<secret><uuid>00000000-0000-0000-0000-000000000000</uuid></secret>")
                  .uuid.toString(),
              "00000000-0000-0000-0000-000000000000");
    EXPECT_EQ(parseSecretXml("<secret><uuid>ffffffff-ffff-ffff-ffff-ffffffffffff</uuid></secret>")
                  .uuid.toString(),
              "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

TEST(SecretXml, AcceptsLongTextsFromAClient) {
    const std::string text(9'000'000, 'x');
    const SecretDefinition definition =
        parseSecretXml(("<secret><description>" + text + "</description></secret>").c_str());
    EXPECT_EQ(definition.description.size(), text.size());
}

TEST(SecretXml, IgnoresALotOfUnknownElements) {
    const std::string element = "<e>" + std::string(1'000'000, 'x') + "</e>";
    std::string xml = "<secret>";
    for (int i = 0; i < 20; ++i)
        xml += element;
    xml += UUID_ELEMENT "</secret>";
    EXPECT_EQ(parseSecretXml(xml.c_str()), secret());
}

TEST(SecretXml, HeedsADeclaredEncodingOfAStringOnlyIfLibxml2Does) {
    const SecretDefinition definition =
        parseSecretXml("<?xml version='1.0' encoding='ISO-8859-1'?>" DESCRIBED("caf\xc3\xa9"));
#if LIBXML_VERSION >= 21400
    EXPECT_EQ(definition.description, "caf\xc3\x83\xc2\xa9");
#else
    EXPECT_EQ(definition.description, "caf\xc3\xa9");
#endif
}

} // namespace
} // namespace keyhold
