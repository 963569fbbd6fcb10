// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include "conf/raised.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace keyhold {
namespace {

std::string repeated(const std::string &text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i)
        all += text;
    return all;
}

std::string withEntities(const std::string &declarations, const std::string &secret) {
    return "<!DOCTYPE secret [" + declarations + "]>" + secret;
}

std::string entity(const std::string &name, const std::string &content) {
    return "<!ENTITY " + name + " '" + content + "'>";
}

std::string described(const std::string &text) {
    return "<secret><description>" + text + "</description></secret>";
}

struct Bomb {
    const char *name;
    std::string xml;
};

void PrintTo(const Bomb &bomb, std::ostream *out) {
    *out << bomb.xml.substr(0, 100);
}

std::string nameOf(const testing::TestParamInfo<Bomb> &info) {
    return info.param.name;
}

class EntityBomb : public testing::TestWithParam<Bomb> {};

/// libxml2 or we refuse it, and neither needs much memory for that.
TEST_P(EntityBomb, IsRefusedBeforeItGoesOff) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const long peakBefore = usage.ru_maxrss;

    const auto fromClient = raisedBy([&] { (void)parseSecretXml(GetParam().xml.c_str()); });
    const auto fromFile = raisedBy([&] { (void)parseSecretFile(GetParam().xml, "/x.xml"); });

    getrusage(RUSAGE_SELF, &usage);
    EXPECT_LT(usage.ru_maxrss - peakBefore, 256 * 1024) << "KiB";
    ASSERT_TRUE(fromClient);
    EXPECT_EQ(fromClient->code, ErrorCode::xmlMalformed) << fromClient->text.substr(0, 200);
    ASSERT_TRUE(fromFile);
    EXPECT_EQ(fromFile->code, ErrorCode::xmlMalformed) << fromFile->text.substr(0, 200);
}

/// `levels` entities, each naming the one before `count` times.
std::string tower(const std::string &foundation, int levels, int count) {
    std::string declarations = entity("e0", foundation);
    for (int level = 1; level <= levels; ++level)
        declarations += entity("e" + std::to_string(level),
                               repeated("&e" + std::to_string(level - 1) + ";", count));
    return declarations;
}

std::string parameterTower(int levels, int count) {
    std::string declarations = "<!ENTITY % p0 ''>";
    for (int level = 1; level <= levels; ++level)
        declarations += entity("% p" + std::to_string(level),
                               repeated("&#37;p" + std::to_string(level - 1) + ";", count));
    return declarations + "%p" + std::to_string(levels) + ";";
}

INSTANTIATE_TEST_SUITE_P(
    Xml, EntityBomb,
    testing::Values(
        Bomb{"billionLaughs", withEntities(tower("lol", 9, 10), described("&e9;"))},
        Bomb{"billionNothings", withEntities(tower("", 9, 10), described("&e9;"))},
        Bomb{"billionElements", withEntities(tower("<p/>", 9, 10), described("&e9;"))},
        Bomb{"manyReferences", withEntities(entity("a", std::string(100'000, 'x')),
                                            described(repeated("&a;", 20'000)))},
        Bomb{"manyReferencesInAnAttribute",
             withEntities(entity("a", std::string(100'000, 'x')),
                          "<secret ephemeral='no' private='" + repeated("&a;", 20'000) + "'/>")},
        Bomb{"twoLevels",
             withEntities(tower(std::string(100'000, 'x'), 1, 1'000), described("&e1;"))},
        Bomb{"twoLevelsInAnAttribute",
             withEntities(tower(std::string(100'000, 'x'), 1, 1'000), "<secret private='&e1;'/>")},
        Bomb{"nothingsInAnAttribute",
             withEntities(tower("", 3, 1'000), "<secret private='&e3;'/>")},
        Bomb{
            "nothingsInAnAttributeWithParameterEntities",
            withEntities(tower("", 3, 1'000) + "<!ENTITY % p ''> %p;", "<secret private='&e3;'/>")},
        Bomb{"parameterEntities", withEntities(parameterTower(3, 1'000), "<secret/>")},
        Bomb{"whereNobodyReads",
             withEntities(entity("a", std::string(100'000, 'x')),
                          "<secret><foo>" + repeated("&a;", 20'000) + "</foo></secret>")},
        Bomb{"spreadOverElements",
             withEntities(entity("a", std::string(100'000, 'x')),
                          "<secret>" + repeated("<b>&a;</b>", 20'000) + "</secret>")}),
    nameOf);

TEST(Entities, ExpandUpToAPoint) {
    const std::string xml =
        withEntities(entity("a", std::string(1'000, 'x')), described(repeated("&a;", 100)));
    EXPECT_EQ(parseSecretXml(xml.c_str()).description, std::string(100'000, 'x'));
}

TEST(Entities, AreNotCountedWhereTextIsWrittenOut) {
    const std::string text(9'500'000, 'y');
    const std::string xml =
        withEntities(entity("a", std::string(1'000, 'x')), described(text + repeated("&a;", 100)));
    EXPECT_EQ(parseSecretXml(xml.c_str()).description, text + std::string(100'000, 'x'));
}

#if LIBXML_VERSION < 21100
// Later releases of libxml2 stop such documents themselves.
TEST(Entities, BeyondItAreToldByDocument) {
    const std::string xml =
        withEntities(entity("a", std::string(100'000, 'x')), described(repeated("&a;", 100)));
    EXPECT_EQ(raisedBy([&] { (void)parseSecretXml(xml.c_str()); }),
              (Raised{ErrorCode::xmlMalformed, "Entities expand to more than 10000000 bytes\n"}));
    EXPECT_EQ(
        raisedBy([&] { (void)parseSecretFile(xml, "/x.xml"); }),
        (Raised{ErrorCode::xmlMalformed, "/x.xml: Entities expand to more than 10000000 bytes\n"}));
}
#endif

} // namespace
} // namespace keyhold
