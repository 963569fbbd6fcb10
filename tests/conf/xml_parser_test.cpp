// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_parser.h"

#include "conf/process_handlers.h"
#include "conf/raised.h"
#include "conf/secret_xml.h"

#include <gtest/gtest.h>
#include <libxml/xmlversion.h>

namespace keyhold {
namespace {

// The texts are those of libvirt 11.3.0 and 12.8.0, put together from libxml2's message, the line
// and a caret; where libxml2 changed its words, they follow the one that is there.
#if LIBXML_VERSION >= 21400
#define NEW_OR_OLD(now, before) now
#else
#define NEW_OR_OLD(now, before) before
#endif

struct Malformed {
    const char *name;
    std::string xml;
    const char *text; ///< after "at line " or "FILE:"
};

void PrintTo(const Malformed &row, std::ostream *out) {
    *out << row.xml;
}

class MalformedXml : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedXml, FromAClientIsToldByLine) {
    EXPECT_EQ(raisedBy([&] { (void)parseSecretXml(GetParam().xml.c_str()); }),
              (Raised{ErrorCode::xmlMalformed, std::string("at line ") + GetParam().text}));
}

TEST_P(MalformedXml, FromAFileIsToldByFileAndLine) {
    EXPECT_EQ(raisedBy([&] { (void)parseSecretFile(GetParam().xml, "/x/%s.xml"); }),
              (Raised{ErrorCode::xmlMalformed, std::string("/x/%s.xml:") + GetParam().text}));
}

std::string nameOf(const testing::TestParamInfo<Malformed> &info) {
    return info.param.name;
}

const Malformed kRows[] = {
    {"mismatch", "<secret><uuid></secret>",
     "1: Opening and ending tag mismatch: uuid line 1 and secret\n"
     "<secret><uuid></secret>\n"
     "-----------------------^"},
    {"unclosed", "<secret>",
     "1: Premature end of data in tag secret line 1\n"
     "<secret>\n"
     "--------^"},
    {"unclosedBeforeALineEnd", "<secret>\n",
     "2: Premature end of data in tag secret line 1\n"
     "<secret>\n"
     "--------^"},
    {"unclosedBeforeLineEnds", "\n<secret>\n\n<uuid>\r\n\r\n",
     "6: Premature end of data in tag uuid line 4\n"
     "<uuid>\n"
     "------^"},
    {"garbage", "garbage",
     "1: Start tag expected, '<' not found\n"
     "garbage\n"
     "^"},
    {"empty", "", "1: Document is empty\n"},
    {"blank", " ",
     "1: Start tag expected, '<' not found\n"
     " \n"
     "-^"},
    {"onlyALineEnd", "\n", "2: Start tag expected, '<' not found\n"},
    {"trailingJunk", "<secret/>junk",
     "1: Extra content at the end of the document\n"
     "<secret/>junk\n"
     "---------^"},
    {"trailingJunkOnItsLine", "<secret></secret>\nxx\n",
     "2: Extra content at the end of the document\n"
     "xx\n"
     "^"},
    {"leadingBlank", " <?xml version='1.0'?><secret/>",
     "1: XML declaration allowed only at the start of the document\n"
     " <?xml version='1.0'?><secret/>\n"
     "------^"},
    {"tabsBeforeThePlace", "<secret>\n\ta\t\t<b></secret>",
     "2: Opening and ending tag mismatch: b line 2 and secret\n"
     "\ta\t\t<b></secret>\n"
     "\t-\t\t------------^"},
    {"characterReference", "<secret><description>&#1;</description></secret>",
     "1: xmlParseCharRef: invalid xmlChar value 1\n"
     "<secret><description>&#1;</description></secret>\n"
     "-------------------------^"},
    {"controlCharacter", "<secret><description>a\x01</description></secret>",
     "1: PCDATA invalid Char value 1\n"
     "<secret><description>a\x01</description></secret>\n"
     "----------------------^"},
    {"undefinedEntity", "<secret><description>&foo;</description></secret>",
     "1: Entity 'foo' not defined\n"
     "<secret><description>&foo;</description></secret>\n"
     "--------------------------^"},
    {"loneAmpersand", "<secret><description>a & b</description></secret>",
     "1: xmlParseEntityRef: no name\n"
     "<secret><description>a & b</description></secret>\n"
     "------------------------^"},
    {"attributeTwice", "<secret private='no' private='no'/>",
     "1: Attribute private redefined\n"
     "<secret private='no' private='no'/>\n"
     "---------------------------------^"},
    {"unknownEncoding", "<?xml version='1.0' encoding='bogus'?><secret/>",
     NEW_OR_OLD("1: Unsupported encoding: bogus\n"
                "<?xml version='1.0' encoding='bogus'?><secret/>\n"
                "------------------------------------^",
                "1: Unsupported encoding bogus\n"
                "<?xml version='1.0' encoding='bogus'?><secret/>\n"
                "------------------------------------^")},
    {"entityWithinEntity",
     "<!DOCTYPE secret [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>"
     "<secret><description>&a;</description></secret>",
     "1: Detected an entity reference loop\n"
     "&a;\n"
     "---^"},
};
INSTANTIATE_TEST_SUITE_P(Xml, MalformedXml, testing::ValuesIn(kRows), nameOf);

std::string textOf(const std::string &xml) {
    const auto raised = raisedBy([&] { (void)parseSecretXml(xml.c_str()); });
    if (!raised || raised->code != ErrorCode::xmlMalformed)
        return "no such error";
    return raised->text;
}

TEST(XmlParser, TellsInvalidUtf8) {
    EXPECT_EQ(
        textOf("<secret><description>caf\xe9</description></secret>"),
        "at line 1: " NEW_OR_OLD(
            "Invalid bytes in character encoding\n",
            "Input is not proper UTF-8, indicate encoding !\n"
            "Bytes: 0xE9 0x3C 0x2F 0x64\n") "<secret><description>caf\xe9</description></secret>\n"
                                            "------------------------^");
}

TEST(XmlParser, RefusesElementsNestedTooDeep) {
    std::string xml = "<secret>";
    for (int i = 0; i < 300; ++i)
        xml += "<a>";
    for (int i = 0; i < 300; ++i)
        xml += "</a>";
    const std::string text = textOf(xml + "</secret>");
    EXPECT_EQ(text.rfind("at line 1: Excessive depth in document: 256" NEW_OR_OLD(
                             ", use XML_PARSE_HUGE option\n", " use XML_PARSE_HUGE option\n"),
                         0),
              0U)
        << text.substr(0, 200);
}

TEST(XmlParser, RaisesTheFirstOfSeveralErrors) {
    EXPECT_EQ(textOf("<secret>&a;\n&b;\n<x></secret>"), "at line 1: Entity 'a' not defined\n"
                                                        "<secret>&a;\n"
                                                        "-----------^");
}

TEST(XmlParser, SaysWhichDocumentItIsIfLibxml2GivesNoReason) {
    EXPECT_EQ(
        raisedBy([] { (void)XmlParser("").finish(nullptr); }),
        (Raised{ErrorCode::xmlInvalid, "failed to parse xml document '(definition_of_secret)'"}));
    EXPECT_EQ(raisedBy([] { (void)XmlParser("/x.xml").finish(nullptr); }),
              (Raised{ErrorCode::xmlInvalid, "failed to parse xml document '/x.xml'"}));
}

TEST(XmlParser, LeavesTheHandlersOfTheProcessAlone) {
    const ProcessHandlers handlers;
    EXPECT_EQ(textOf("<secret>"), "at line 1: Premature end of data in tag secret line 1\n"
                                  "<secret>\n"
                                  "--------^");
    EXPECT_EQ(textOf("<!DOCTYPE secret [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><secret>&a;</secret>"),
              "at line 1: Detected an entity reference loop\n"
              "&a;\n"
              "---^");
    EXPECT_EQ(handlers.calls(), 0);
    EXPECT_TRUE(handlers.areSet());

    xmlFreeDoc(xmlReadMemory("<a>", 3, nullptr, nullptr, 0));
    EXPECT_GT(handlers.calls(), 0) << "libxml2 does not call the handlers of this test at all";
}

TEST(XmlParser, WritesNothingToStandardError) {
    testing::internal::CaptureStderr();
    (void)textOf("<secret>");
    (void)textOf("<secret xmlns='relative'><y:z/>&undefined;</secret>");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace keyhold
