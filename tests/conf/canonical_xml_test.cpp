// SPDX-License-Identifier: LGPL-2.1-or-later
// What parseCanonicalXml() answers is what libxml2 leads to, or nothing.
#include "conf/secret_xml.h"

#include "conf/error.h"
#include "conf/usage_types.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace keyhold {
namespace {

const Uuid kUuid = *Uuid::parse("0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f");

/// What libxml2 leads to; empty where it refuses. Documents of clients always go that way.
std::optional<SecretDefinition> byLibxml2(const std::string &xml) {
    try {
        return parseSecretXml(xml.c_str());
    } catch (const Error &) {
        return std::nullopt;
    }
}

/// True if the document was read here, as it must be read.
bool isReadRightly(const std::string &xml) {
    const auto canonical = parseCanonicalXml(xml);
    if (!canonical)
        return false;
    EXPECT_EQ(byLibxml2(xml), canonical) << testing::PrintToString(xml);
    EXPECT_EQ(formatSecretXml(*canonical), xml);
    return true;
}

class Documents {
  public:
    explicit Documents(std::uint64_t seed) : random_(seed) {}

    SecretDefinition definition() {
        SecretDefinition made;
        std::array<std::uint8_t, Uuid::kSize> raw;
        for (std::uint8_t &byte : raw)
            byte = static_cast<std::uint8_t>(below(256));
        made.uuid = Uuid(raw);
        made.isEphemeral = below(2) == 0;
        made.isPrivate = below(2) == 0;
        if (below(3) != 0)
            made.description = text();
        made.usage.type = usageTypes_[below(usageTypes_.size())];
        if (made.usage.type != UsageType::none)
            made.usage.id = text();
        return made;
    }

    /// Changes a document a little, with a liking for what means something in XML.
    std::string mutated(std::string xml) {
        static const std::vector<std::string> kPieces = {"<",
                                                         ">",
                                                         "&",
                                                         "'",
                                                         "\"",
                                                         "/",
                                                         "\n",
                                                         "\r",
                                                         "\t",
                                                         " ",
                                                         "&amp;",
                                                         "&#13;",
                                                         "&#x3c;",
                                                         "&lt;",
                                                         "&bad;",
                                                         "]]>",
                                                         "<!---->",
                                                         "<?p?>",
                                                         "yes",
                                                         "no",
                                                         "none",
                                                         "ceph",
                                                         "tls",
                                                         "<usage type='tls'>",
                                                         "<a/>",
                                                         "\xc3\xa4",
                                                         "\xff",
                                                         "A",
                                                         "<![CDATA[x]]>",
                                                         "  ",
                                                         "name",
                                                         "uuid",
                                                         "volume",
                                                         "<description>",
                                                         "</description>",
                                                         "<uuid>",
                                                         "<!DOCTYPE secret>",
                                                         std::string(1, '\0')};
        for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
            const std::size_t at = below(xml.size() + 1);
            switch (below(5)) {
            case 0:
                xml.erase(at, 1 + below(4));
                break;
            case 1:
                if (at < xml.size())
                    xml[at] = static_cast<char>(below(256));
                break;
            case 2:
                xml.insert(at, xml.substr(below(xml.size() + 1), below(40)));
                break;
            case 3:
                if (at < xml.size())
                    xml.erase(at, 1);
                xml.insert(at, kPieces[below(kPieces.size())]);
                break;
            default:
                xml.insert(at, kPieces[below(kPieces.size())]);
            }
        }
        return xml;
    }

  private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string text() {
        static constexpr std::string_view kSpecial = "&<>'\"\r\n\t ;#/=]-!?";
        std::string made;
        for (std::size_t length = 1 + below(40); length > 0; --length)
            made += below(4) == 0 ? kSpecial[below(kSpecial.size())]
                                  : static_cast<char>(' ' + below('~' - ' ' + 1));
        return made;
    }

    std::mt19937_64 random_;
    const std::vector<UsageType> usageTypes_ = allUsageTypes();
};

TEST(CanonicalXml, ReadsWhatTheFormatterWrites) {
    Documents documents(1);
    for (int n = 0; n < 3000; ++n) {
        const SecretDefinition definition = documents.definition();
        EXPECT_EQ(definition, parseCanonicalXml(formatSecretXml(definition)));
        EXPECT_TRUE(isReadRightly(formatSecretXml(definition)));
    }
}

TEST(CanonicalXml, OfChangedDocumentsItReadsNoneOtherThanLibxml2Does) {
    Documents documents(2);
    int read = 0;
    int left = 0;
    for (int n = 0; n < 30000; ++n) {
        const std::string xml = documents.mutated(formatSecretXml(documents.definition()));
        ++(isReadRightly(xml) ? read : left);
    }
    // Both happen often enough to mean something.
    EXPECT_GT(read, 500);
    EXPECT_GT(left, 10000);
}

TEST(CanonicalXml, EveryByteInEachPlaceIsReadAsByLibxml2OrLeftToIt) {
    const std::string xml =
        formatSecretXml({kUuid, false, true, "a & b", {UsageType::ceph, "client.admin"}});
    for (std::size_t at = 0; at < xml.size(); ++at) {
        std::string changed = xml;
        for (int byte = 0; byte < 256; ++byte) {
            changed[at] = static_cast<char>(byte);
            isReadRightly(changed);
        }
        isReadRightly(xml.substr(0, at));
    }
}

TEST(CanonicalXml, LeavesOtherSpellingsToLibxml2) {
    const std::string uuid = "  <uuid>" + kUuid.toString() + "</uuid>\n";
    const std::string head = "<secret ephemeral='no' private='no'>\n" + uuid;
    const std::string tail = "</secret>\n";
    ASSERT_TRUE(parseCanonicalXml(head + tail));
    for (const std::string &other : {
             std::string(),
             head,
             "\xef\xbb\xbf" + head + tail,
             "<?xml version='1.0'?>\n" + head + tail,
             head + tail + "\n",
             head + "</secret>",
             "<secret private='no' ephemeral='no'>\n" + uuid + tail,
             "<secret ephemeral=\"no\" private='no'>\n" + uuid + tail,
             "<secret ephemeral='' private='no'>\n" + uuid + tail,
             "<secret ephemeral='no' private='no'>\n" + tail,
             head + uuid + tail,
             head + "  <description></description>\n" + tail,
             head + "  <description>\xc3\xa4</description>\n" + tail,
             head + "  <description>a > b</description>\n" + tail,
             head + "  <description>it's</description>\n" + tail,
             head + "  <description>&#38;</description>\n" + tail,
             head + "  <description>a\rb</description>\n" + tail,
             head + "  <description>a<!-- b --></description>\n" + tail,
             head + "  <usage type='none'>\n    <name>a</name>\n  </usage>\n" + tail,
             head + "  <usage type='ceph'>\n    <name></name>\n  </usage>\n" + tail,
             head + "  <usage type='ceph'>\n    <target>a</target>\n  </usage>\n" + tail,
             head + "  <usage type='ceph'>\n    <name>a</name>\n  </usage>\n" +
                 "  <description>after</description>\n" + tail,
         })
        EXPECT_FALSE(parseCanonicalXml(other)) << other;
    EXPECT_FALSE(parseCanonicalXml(
        formatSecretXml({kUuid, false, false, std::string(std::size_t{64} * 1024, 'x'), {}})));
}

} // namespace
} // namespace keyhold
