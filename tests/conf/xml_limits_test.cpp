// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_limits.h"

#include "conf/raised.h"
#include "conf/secret_xml.h"
#include "conf/xml_parser.h"

#include <gtest/gtest.h>
#include <libxml/xmlversion.h>

#include <functional>

namespace keyhold {
namespace {

constexpr int kMax = static_cast<int>(XmlLimits::kMaxAttributes);

/// `make(0)` to `make(count - 1)`, one after the other.
std::string each(int count, const std::function<std::string(const std::string &)> &make) {
    std::string all;
    for (int i = 0; i < count; ++i)
        all += make(std::to_string(i));
    return all;
}

std::string times(int count, const std::string &text) {
    return each(count, [&](const std::string & /*number*/) { return text; });
}

std::string attributes(int count) {
    return each(count, [](const std::string &n) { return " a" + n + "=''"; });
}

std::string secret(const std::string &content) {
    return "<secret>" + content + "</secret>";
}

std::string withDtd(const std::string &dtd, const std::string &root = "<secret/>") {
    return "<!DOCTYPE secret [" + dtd + "]>" + root;
}

std::string words(int count) {
    return "w" + each(count - 1, [](const std::string &n) { return "|w" + n; });
}

std::string fromClient(const std::string &xml) {
    const auto raised = raisedBy([&] { (void)parseSecretXml(xml.c_str()); });
    return raised ? raised->text : "";
}

std::string fromFile(const std::string &xml) {
    const auto raised = raisedBy([&] { (void)parseSecretFile(xml, "/x.xml"); });
    return raised ? raised->text : "";
}

struct Row {
    const char *name;
    /// A document with `count` of what is limited, and nothing else wrong.
    std::string (*make)(int count);
    int most; ///< that is taken
    const char *text;
};

void PrintTo(const Row &row, std::ostream *out) {
    *out << row.name;
}

std::string nameOf(const testing::TestParamInfo<Row> &info) {
    return info.param.name;
}

class Limited : public testing::TestWithParam<Row> {};

TEST_P(Limited, IsTakenUpToTheLimit) {
    const std::string xml = GetParam().make(GetParam().most);
    EXPECT_EQ(fromClient(xml), "");
    EXPECT_EQ(fromFile(xml), "");
}

TEST_P(Limited, IsRefusedBeyondIt) {
    const std::string xml = GetParam().make(GetParam().most + 1);
    EXPECT_EQ(fromClient(xml), std::string("at line 1: ") + GetParam().text);
    EXPECT_EQ(fromFile(xml), std::string("/x.xml:1: ") + GetParam().text);
}

constexpr const char *kAttributes = "Too many attributes\n";
constexpr const char *kDeclarations = "Too many declarations\n";

const Row kRows[] = {
    {"attributesOfATag", [](int n) { return "<secret" + attributes(n) + "/>"; }, kMax, kAttributes},
    {"attributesOfManyTags", [](int n) { return secret(times(n, "<a b=\"'>\"/>")); }, kMax,
     kAttributes},
    {"namespaces",
     [](int n) {
         return secret(
             "<b" + each(n, [](const std::string &i) { return " xmlns:a" + i + "='u'"; }) + "/>");
     },
     kMax, kAttributes},
    {"attributesInAnEntity",
     [](int n) { return withDtd("<!ENTITY e \"&#60;b" + attributes(n) + "/>\">", secret("&e;")); },
     kMax, kAttributes},
    {"defaultsOfManyElements",
     [](int n) { return withDtd("<!ATTLIST a b CDATA 'v'>", secret(times(n, "<a/>"))); }, kMax,
     kAttributes},
    {"defaultNamespacesOfManyElements",
     [](int n) { return withDtd("<!ATTLIST a xmlns:b CDATA 'v'>", secret(times(n, "<a/>"))); },
     kMax, kAttributes},
    {"declaredAttributes",
     [](int n) {
         return withDtd("<!ATTLIST a" +
                        each(n, [](const std::string &i) { return " b" + i + " CDATA #IMPLIED"; }) +
                        ">");
     },
     kMax, kDeclarations},
    {"declaredElements",
     [](int n) {
         return withDtd(each(n, [](const std::string &i) { return "<!ELEMENT a" + i + " ANY>"; }));
     },
     kMax, kDeclarations},
    {"notations",
     [](int n) {
         return withDtd(
             each(n, [](const std::string &i) { return "<!NOTATION a" + i + " SYSTEM ''>"; }));
     },
     kMax, kDeclarations},
    {"wordsOfAType", [](int n) { return withDtd("<!ATTLIST a b (" + words(n) + ") #IMPLIED>"); },
     kMax + 1, kAttributes},
    {"wordsOfANotationType",
     [](int n) { return withDtd("<!ATTLIST a b NOTATION (" + words(n) + ") #IMPLIED>"); }, kMax + 1,
     kAttributes},
    {"wordsOfAContentModel", [](int n) { return withDtd("<!ELEMENT a (" + words(n) + ")>"); },
     kMax + 1, kAttributes},
#if LIBXML_VERSION < 21200
    // Later releases of libxml2 stop such documents themselves.
    {"wordsInAParameterEntity",
     [](int n) {
         return withDtd("<!ENTITY % w '" + words(n) +
                        "'><!ENTITY % d '<!ATTLIST a b (&#37;w;) #IMPLIED>'> %d;");
     },
     kMax + 1, kAttributes},
    // libxml2 looks each up once when it is declared.
    {"textOfParameterEntities",
     [](int n) {
         return withDtd("<!ENTITY % p '<?a " + std::string(99'994, 'x') + "?>'> " +
                        times(n, "%p;<?b?>"));
     },
     99, "Entities expand to more than 10000000 bytes\n"},
#endif
};
INSTANTIATE_TEST_SUITE_P(Xml, Limited, testing::ValuesIn(kRows), nameOf);

TEST(XmlLimits, TellTheLineOfTheTag) {
    EXPECT_EQ(fromClient("<secret>\n<uuid/>\n" + secret("<a\n" + attributes(300) + "/>")),
              "at line 3: Too many attributes\n");
}

#if LIBXML_VERSION < 21200
TEST(XmlLimits, CountBytesOfDefaults) {
    const std::string dtd = "<!ATTLIST a b CDATA '" + std::string(1'000'000, 'x') + "'>";
    EXPECT_EQ(fromClient(withDtd(dtd, secret(times(10, "<a/>")))), "");
    EXPECT_EQ(fromClient(withDtd(dtd, secret(times(11, "<a/>")))),
              "at line 1: Too many attributes\n");
}
#endif

TEST(XmlLimits, BoundTheNumberOfNames) {
    const auto named = [](int count) {
        return secret(each(count, [](const std::string &n) { return "<e" + n + "/>"; }));
    };
    const auto instructed = [](int count) {
        return secret(each(count, [](const std::string &n) { return "<?e" + n + "?>"; }));
    };
    EXPECT_EQ(fromClient(named(19'000)), "");
    EXPECT_EQ(fromClient(instructed(19'000)), "");
    EXPECT_EQ(fromClient(named(21'000)), "at line 1: Too many names\n");
    EXPECT_EQ(fromClient(instructed(21'000)), "at line 1: Too many names\n");
}

TEST(XmlLimits, HoldInEveryEncodingOfAFile) {
    const std::string xml = "<secret" + attributes(kMax + 1) + "/>";
    std::string wide = "\xff\xfe";
    for (const char c : xml)
        wide.append({c, '\0'});
    EXPECT_EQ(fromFile(wide), "/x.xml:1: Too many attributes\n");
    EXPECT_EQ(fromFile("<?xml version='1.0' encoding='ISO-8859-1'?>" + xml),
              "/x.xml:1: Too many attributes\n");
}

TEST(XmlLimits, DoNotCountWhatIsText) {
    const std::string text = times(1'000, "a | b, &lt;c d='e' f=\"g\"/>");
    EXPECT_EQ(fromClient(secret("<description>" + text + "</description>")), "");
    EXPECT_EQ(fromClient(secret("<description><![CDATA[" + times(1'000, "|'',") +
                                "]]></description><!--" + times(1'000, "|'',") + "-->")),
              "");
    EXPECT_EQ(fromClient(withDtd("<!ENTITY e '" + times(1'000, "|,") + "'>")), "");
}

#if LIBXML_VERSION < 21200
/// libxml2 2.9.14 reads on after an error, and reports to nobody what it reads.
TEST(XmlLimits, AnErrorEndsTheWork) {
    const std::string begin = withDtd("<!ATTLIST a b CDATA ''>", "<secret><a b></a>");
    const std::string xml = begin + times(1'000, "<a/>") + "</secret>";
    const XmlParser parser("", xml);
    const XmlDocument document(xmlCtxtReadDoc(parser.context(),
                                              reinterpret_cast<const xmlChar *>(xml.c_str()),
                                              nullptr, nullptr, XML_PARSE_NOERROR));
    EXPECT_EQ(document, nullptr);
    EXPECT_LE(xmlByteConsumed(parser.context()), static_cast<long>(begin.size()));
}
#endif

} // namespace
} // namespace keyhold
