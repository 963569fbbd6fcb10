// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include "conf/usage_types.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace keyhold {
namespace {

const Uuid kUuid = *Uuid::parse("0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f");

TEST(SecretXmlFormat, SecretThatSaysNothing) {
    EXPECT_EQ(formatSecretXml({kUuid, false, false, "", {}}),
              "<secret ephemeral='no' private='no'>\n"
              "  <uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>\n"
              "</secret>\n");
}

TEST(SecretXmlFormat, SecretThatSaysEverything) {
    EXPECT_EQ(formatSecretXml({kUuid, true, true, "a text", {UsageType::ceph, "client.admin"}}),
              "<secret ephemeral='yes' private='yes'>\n"
              "  <uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>\n"
              "  <description>a text</description>\n"
              "  <usage type='ceph'>\n"
              "    <name>client.admin</name>\n"
              "  </usage>\n"
              "</secret>\n");
}

std::string usageLines(UsageType type, std::string id) {
    const std::string xml = formatSecretXml({kUuid, false, false, "", {type, std::move(id)}});
    const std::size_t begin = xml.find("  <usage");
    return begin == std::string::npos ? "" : xml.substr(begin, xml.find("</secret>") - begin);
}

TEST(SecretXmlFormat, EachUsage) {
    EXPECT_EQ(usageLines(UsageType::none, ""), "");
    EXPECT_EQ(usageLines(UsageType::volume, "/v"),
              "  <usage type='volume'>\n    <volume>/v</volume>\n  </usage>\n");
    EXPECT_EQ(usageLines(UsageType::ceph, "c"),
              "  <usage type='ceph'>\n    <name>c</name>\n  </usage>\n");
    EXPECT_EQ(usageLines(UsageType::iscsi, "i"),
              "  <usage type='iscsi'>\n    <target>i</target>\n  </usage>\n");
    EXPECT_EQ(usageLines(UsageType::tls, "t"),
              "  <usage type='tls'>\n    <name>t</name>\n  </usage>\n");
    EXPECT_EQ(usageLines(UsageType::vtpm, "v"),
              "  <usage type='vtpm'>\n    <name>v</name>\n  </usage>\n");
}

std::string descriptionLine(std::string text) {
    const std::string xml = formatSecretXml({kUuid, false, false, std::move(text), {}});
    const std::size_t begin = xml.find("  <description>");
    return begin == std::string::npos ? "" : xml.substr(begin, xml.find("</secret>") - begin);
}

TEST(SecretXmlFormat, EscapesFiveCharactersAndCarriageReturn) {
    EXPECT_EQ(descriptionLine("a&b<c>d'e\"f\rg"),
              "  <description>a&amp;b&lt;c&gt;d&apos;e&quot;f&#13;g</description>\n");
    EXPECT_EQ(usageLines(UsageType::volume, "a&b<c>d'e\"f\rg"),
              "  <usage type='volume'>\n"
              "    <volume>a&amp;b&lt;c&gt;d&apos;e&quot;f&#13;g</volume>\n"
              "  </usage>\n");
}

TEST(SecretXmlFormat, LeavesAllElseAsItIs) {
    const std::string raw = "\t\n\x7f \xc2\x85 \xe2\x80\xa8 caf\xc3\xa9 \xf0\x9f\x94\x91 ]] -- %s";
    EXPECT_EQ(descriptionLine(raw), "  <description>" + raw + "</description>\n");
}

TEST(SecretXmlFormat, KeepsADescriptionOfBlanks) {
    EXPECT_EQ(descriptionLine("  \n "), "  <description>  \n </description>\n");
}

SecretDefinition fromFile(const std::string &xml) {
    return parseSecretFile(xml, "/x.xml");
}

TEST(SecretXmlFormat, CarriageReturnsSurviveARestart) {
    const SecretDefinition definition{kUuid, false, false, "a\rb\r\nc", {UsageType::ceph, "u\rv"}};
    EXPECT_EQ(fromFile(formatSecretXml(definition)), definition);
}

/// Texts out of characters that XML 1.0 (2.2, Char) allows, the hostile ones often.
class RandomText {
  public:
    explicit RandomText(unsigned seed) : random_(seed) {}

    std::string make(std::size_t minimum) {
        std::string text;
        for (std::size_t count = minimum + random_() % 40; count > 0; --count)
            text += random_() % 2 == 0 ? kHostile[random_() % std::size(kHostile)] : character();
        return text;
    }

  private:
    static constexpr const char *kHostile[] = {
        "&",
        "<",
        ">",
        "'",
        "\"",
        "\r",
        "\n",
        "\r\n",
        "\t",
        " ",
        "]]>",
        "<!--",
        "-->",
        "<![CDATA[",
        "&amp;",
        "&#13;",
        "%",
        "</secret>",
        "<?xml ",
        "\xc2\x85",
        "\x7f",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf",
        "\xef\xbf\xbd",
        "\xed\x9f\xbf",
        "\xf4\x8f\xbf\xbf",
    };

    std::string character() {
        for (;;) {
            const auto code = static_cast<std::uint32_t>(random_() % 0x110000);
            if (code >= 0x20 && (code < 0xd800 || code > 0xdfff) && code != 0xfffe &&
                code != 0xffff)
                return utf8(code);
        }
    }

    static std::string utf8(std::uint32_t code) {
        const auto tail = [&](int shift) {
            return static_cast<char>(0x80 | ((code >> shift) & 0x3f));
        };
        if (code < 0x80)
            return {static_cast<char>(code)};
        if (code < 0x800)
            return {static_cast<char>(0xc0 | (code >> 6)), tail(0)};
        if (code < 0x10000)
            return {static_cast<char>(0xe0 | (code >> 12)), tail(6), tail(0)};
        return {static_cast<char>(0xf0 | (code >> 18)), tail(12), tail(6), tail(0)};
    }

    std::mt19937 random_;
};

TEST(SecretXmlFormat, WhatIsWrittenIsReadBackWhateverTheText) {
    const std::vector<UsageType> types = allUsageTypes();
    for (unsigned seed = 0; seed < 3000; ++seed) {
        RandomText text(seed);
        const UsageType type = types[seed % types.size()];
        const SecretDefinition definition{
            Uuid::generate(),
            seed % 2 == 0,
            seed % 3 == 0,
            text.make(0),
            {type, type == UsageType::none ? std::string() : text.make(1)}};
        const std::string xml = formatSecretXml(definition);
        ASSERT_EQ(fromFile(xml), definition) << "seed " << seed << '\n' << xml;
        ASSERT_EQ(parseSecretXml(xml.c_str()), definition) << "seed " << seed << '\n' << xml;
    }
}

TEST(SecretXmlFormat, LongTextsAreReadBack) {
    // libxml2 takes 10,000,000 bytes of one text.
    const SecretDefinition definition{kUuid,
                                      false,
                                      false,
                                      std::string(9'900'000, 'd'),
                                      {UsageType::ceph, std::string(100'000, '&')}};
    EXPECT_EQ(fromFile(formatSecretXml(definition)), definition);
}

TEST(SecretXmlFormat, TextsThatStockCouldNotLoadAreRefused) {
    const SecretDefinition definition{kUuid, false, false, std::string(10'100'000, 'd'), {}};
    EXPECT_THROW((void)fromFile(formatSecretXml(definition)), std::exception);
}

} // namespace
} // namespace keyhold
