// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_document.h"

#include "conf/listener.h"
#include "conf/raised.h"
#include "conf/secret_xml.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace keyhold {
namespace {

constexpr const char *kXml = "<secret><uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>"
                             "<description>caf\xc3\xa9</description></secret>";

SecretDefinition fromFile(std::span<const char> content) {
    return parseSecretFile(content, "/x.xml");
}

/// The document in UTF-16; every character of it is below U+0800.
std::string utf16(const std::string &xml, bool isBigEndian) {
    std::string encoded;
    const auto append = [&](unsigned code) {
        const char high = static_cast<char>(code >> 8);
        const char low = static_cast<char>(code & 0xff);
        encoded += isBigEndian ? high : low;
        encoded += isBigEndian ? low : high;
    };
    append(0xfeff);
    for (std::size_t i = 0; i < xml.size(); ++i) {
        const auto first = static_cast<unsigned char>(xml[i]);
        append(first < 0x80
                   ? first
                   : (first & 0x1fU) << 6 | (static_cast<unsigned char>(xml[++i]) & 0x3fU));
    }
    return encoded;
}

TEST(XmlFile, NeedsNoEndingNul) {
    // The last page before one that must not be read.
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void *pages =
        mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    char *end = static_cast<char *>(pages) + page;
    ASSERT_EQ(mprotect(end, page, PROT_NONE), 0);
    const std::size_t size = std::strlen(kXml);
    std::memcpy(end - size, kXml, size);

    EXPECT_EQ(fromFile({end - size, size}).description, "caf\xc3\xa9");
    munmap(pages, 2 * page);
}

TEST(XmlFile, IsReadInUtf16) {
    EXPECT_EQ(fromFile(utf16(kXml, false)), fromFile(std::string(kXml)));
    EXPECT_EQ(fromFile(utf16(kXml, true)), fromFile(std::string(kXml)));
    const std::string declared = std::string("<?xml version='1.0' encoding='UTF-16'?>") + kXml;
    EXPECT_EQ(fromFile(utf16(declared, false)), fromFile(std::string(kXml)));
}

TEST(XmlFile, IsReadInTheEncodingItDeclares) {
    EXPECT_EQ(fromFile(std::string("<?xml version='1.0' encoding='ISO-8859-1'?>"
                                   "<secret><description>caf\xe9</description></secret>"))
                  .description,
              "caf\xc3\xa9");
}

TEST(XmlFile, LongerThanATextMayBeIsReadToo) {
    // Past 10,000,000 bytes, libxml2 is given the content in pieces.
    const std::string longXml =
        "<?xml version='1.0' encoding='ISO-8859-1'?><secret><description>caf\xe9"
        "</description><!--" +
        std::string(6'000'000, 'a') + "--><!--" + std::string(6'000'000, 'b') + "--></secret>";
    EXPECT_EQ(fromFile(longXml).description, "caf\xc3\xa9");
}

TEST(XmlFile, OfNoBytesIsAnEmptyDocument) {
    const Raised empty{ErrorCode::xmlMalformed, "/x.xml:1: Document is empty\n"};
    EXPECT_EQ(raisedBy([] { (void)fromFile({}); }), empty);
    EXPECT_EQ(raisedBy([] { (void)fromFile(std::string()); }), empty);
}

TEST(XmlFile, WithANulByteIsRefused) {
    std::string xml = kXml;
    xml[xml.find("caf")] = '\0';
    EXPECT_THROW((void)fromFile(xml), Error);
}

TEST(XmlFile, CutAnywhereIsRefused) {
    const std::string xml = kXml;
    for (std::size_t size = 0; size < xml.size(); ++size)
        EXPECT_THROW((void)fromFile({xml.data(), size}), Error) << size;
}

/// A document may name things outside of itself; each of these does in another way.
std::vector<std::string> documentsThatName(const std::string &url) {
    const std::string body = "<secret><description>x&e;y</description></secret>";
    return {
        "<!DOCTYPE secret SYSTEM '" + url + "'><secret><description>xy</description></secret>",
        "<!DOCTYPE secret PUBLIC '-//k//e' '" + url +
            "'><secret><description>xy</description></secret>",
        "<!DOCTYPE secret [<!ENTITY e SYSTEM '" + url + "'>]>" + body,
        "<!DOCTYPE secret [<!ENTITY e PUBLIC '-//k//e' '" + url + "'>]>" + body,
        "<!DOCTYPE secret [<!ENTITY e ''><!ENTITY % p SYSTEM '" + url + "'> %p;]>" + body,
        "<?xml-stylesheet href='" + url + "'?><secret><description>xy</description></secret>",
        "<secret xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='" + url +
            "'/><description>xy</description></secret>",
    };
}

TEST(XmlDocument, LoadsNothingFromOtherFiles) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("keyhold-conf-" + std::to_string(getpid()) + ".ent");
    std::ofstream(path) << "<!ENTITY f 'from outside'>from outside";
    for (const std::string &url : {path.string(), "file://" + path.string()}) {
        for (const std::string &xml : documentsThatName(url)) {
            EXPECT_EQ(parseSecretXml(xml.c_str()).description, "xy") << xml;
            EXPECT_EQ(fromFile(xml).description, "xy") << xml;
        }
    }
    std::filesystem::remove(path);
}

TEST(XmlDocument, CallsNobodyOnTheNetwork) {
    const Listener listener;
    for (const std::string &xml : documentsThatName(listener.url() + "/x")) {
        EXPECT_EQ(parseSecretXml(xml.c_str()).description, "xy") << xml;
        EXPECT_EQ(fromFile(xml).description, "xy") << xml;
        EXPECT_FALSE(listener.wasCalled()) << xml;
    }
}

TEST(XmlDocument, IsParsedByManyThreadsAtOnce) {
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                if (parseSecretXml(kXml).description != "caf\xc3\xa9")
                    ++wrong;
                if (!raisedBy([] { (void)parseSecretXml("<secret>"); }))
                    ++wrong;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0);
}

} // namespace
} // namespace keyhold
