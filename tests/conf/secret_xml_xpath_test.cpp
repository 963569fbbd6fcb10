// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include "conf/xml_document.h"

#include <gtest/gtest.h>
#include <libxml/xpath.h>

#include <memory>
#include <random>

namespace keyhold {
namespace {

// The stock driver reads a document by XPath; we walk its tree. Random documents are read both
// ways.

class XPath {
  public:
    explicit XPath(xmlDoc &document) : context_(xmlXPathNewContext(&document)) {
        xmlXPathSetContextNode(xmlDocGetRootElement(&document), context_.get());
    }

    /// As virXPathString(): empty for an empty string and for nothing.
    std::string string(const std::string &path) {
        const std::unique_ptr<xmlXPathObject, Free> result(xmlXPathEval(
            reinterpret_cast<const xmlChar *>(("string(" + path + ")").c_str()), context_.get()));
        return reinterpret_cast<const char *>(result->stringval);
    }

  private:
    struct Free {
        void operator()(xmlXPathContext *context) const { xmlXPathFreeContext(context); }
        void operator()(xmlXPathObject *object) const { xmlXPathFreeObject(object); }
    };
    std::unique_ptr<xmlXPathContext, Free> context_;
};

/// What the stock driver of libvirt 9.0.0 makes of the document; empty if it refuses it. A missing
/// uuid is nil.
std::optional<SecretDefinition> readByXPath(const std::string &xml) {
    const XmlDocument document = parseXmlString(xml.c_str());
    XPath xpath(*document);
    SecretDefinition secret;
    for (const auto &[path, flag] : {std::pair("./@ephemeral", &secret.isEphemeral),
                                     std::pair("./@private", &secret.isPrivate)}) {
        const std::string word = xpath.string(path);
        if (word != "yes" && word != "no" && !word.empty())
            return std::nullopt;
        *flag = word == "yes";
    }
    if (const std::string text = xpath.string("./uuid"); !text.empty()) {
        const auto uuid = Uuid::parse(text);
        if (!uuid)
            return std::nullopt;
        secret.uuid = *uuid;
    }
    secret.description = xpath.string("./description");
    if (xpath.string("count(./usage)") == "0")
        return secret;
    const auto type = usageTypeFromName(xpath.string("./usage/@type"));
    if (!type)
        return std::nullopt;
    secret.usage.type = *type;
    if (*type == UsageType::none)
        return secret;
    secret.usage.id = xpath.string(std::string("./usage/") + usageWords(*type).element);
    if (secret.usage.id.empty())
        return std::nullopt;
    return secret;
}

std::optional<SecretDefinition> readByUs(const std::string &xml) {
    try {
        return parseSecretXml(xml.c_str());
    } catch (const std::exception &) {
        return std::nullopt;
    }
}

/// Documents of the words that matter, in places where they do and do not.
class RandomDocument {
  public:
    explicit RandomDocument(unsigned seed) : random_(seed) {}

    std::string make() {
        std::string xml = "<!DOCTYPE secret [<!ENTITY e 'ceph'><!ENTITY f '&e;<name>f</name>&e;'>"
                          "<!ENTITY g ''><!ENTITY h SYSTEM 'file:///nowhere'>]><secret";
        if (random_() % 4 == 0)
            xml += pick({" xmlns:x='urn:x'", " xmlns='urn:x'"});
        xml += attributes({"ephemeral", "private"}, {"yes", "no", "", "", "&e;"});
        return xml + ">" + children(3) + "</secret>";
    }

  private:
    std::string pick(std::initializer_list<const char *> words) {
        return words.begin()[random_() % words.size()];
    }

    std::string attributes(std::initializer_list<const char *> names,
                           std::initializer_list<const char *> values) {
        std::string all;
        for (const char *name : names)
            if (random_() % 2 == 0)
                all += std::string(" ") + name + "='" + pick(values) + "'";
        return all;
    }

    std::string children(int depth) {
        std::string xml;
        for (std::size_t count = random_() % 5; count > 0; --count)
            xml += random_() % 2 == 0 || depth == 0
                       ? pick({"text", " ", "&e;", "&f;", "&g;", "&h;", "&lt;", "<!-- c -->",
                               "<?p i?>", "<![CDATA[<name>]]>", "<![CDATA[]]>",
                               "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"})
                       : element(depth - 1);
        return xml;
    }

    std::string element(int depth) {
        const std::string name = pick({"uuid", "description", "usage", "usage", "usage", "name",
                                       "volume", "target", "x:usage", "x:name", "other"});
        std::string xml = "<" + name;
        if (name.starts_with("x:") || random_() % 8 == 0)
            xml += pick({" xmlns:x='urn:x'", " xmlns:x='urn:x' x:type='tls'"});
        else if (random_() % 8 == 0)
            xml += pick({" xmlns=''", " xmlns='urn:y'"});
        xml +=
            attributes({"type"}, {"ceph", "ceph", "volume", "iscsi", "tls", "none", "&e;", "&g;"});
        if (name == "uuid" && random_() % 2 == 0)
            return xml + ">0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>";
        return xml + ">" + children(depth) + "</" + name + ">";
    }

    std::mt19937 random_;
};

TEST(SecretXmlWalk, FindsWhatXPathFinds) {
    int accepted = 0;
    int refused = 0;
    for (unsigned seed = 0; seed < 20'000; ++seed) {
        const std::string xml = RandomDocument(seed).make();
        const auto expected = readByXPath(xml);
        auto found = readByUs(xml);
        if (expected && found && expected->uuid == Uuid())
            found->uuid = Uuid();
        ASSERT_EQ(found.has_value(), expected.has_value()) << "seed " << seed << '\n' << xml;
        if (expected) {
            ASSERT_EQ(formatSecretXml(*found), formatSecretXml(*expected))
                << "seed " << seed << '\n'
                << xml;
        }
        ++(expected ? accepted : refused);
    }
    // Neither kind is rare.
    EXPECT_GT(accepted, 2'000);
    EXPECT_GT(refused, 2'000);
}

} // namespace
} // namespace keyhold
