// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_schema.h"

#include "conf/error.h"
#include "conf/mutex.h"
#include "conf/xml_document.h"
#include "conf/xml_parser.h"

#include <libxml/relaxng.h>

#include <new>

namespace keyhold {

namespace {

using Schema = XmlPointer<xmlRelaxNG, xmlRelaxNGFree>;
using SchemaParser = XmlPointer<xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt>;
using Validator = XmlPointer<xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt>;

/// What libxml2 says, one message a line.
struct Messages {
    std::string text;
    bool isOutOfMemory = false;
};

/// Called by libxml2, through which nothing may be thrown.
extern "C" void addMessage(void *data, XmlErrorPointer error) noexcept {
    auto &messages = *static_cast<Messages *>(data);
    if (error == nullptr || error->message == nullptr || error->level < XML_ERR_ERROR)
        return;
    try {
        messages.text += error->message;
    } catch (...) {
        messages.isOutOfMemory = true;
    }
}

template <typename Pointer>
Pointer allocated(Pointer object) {
    if (!object)
        throw std::bad_alloc();
    return object;
}

[[noreturn]] void raise(ErrorCode code, const std::string &beginning, const Messages &messages,
                        SourcePlace place = SourcePlace::current()) {
    if (messages.isOutOfMemory)
        throw std::bad_alloc();
    throw Error(code, beginning + messages.text, 0, place);
}

/// Null if the file is not there or is not XML.
XmlDocument readQuietly(const std::string &fileName) {
    const XmlParser parser(fileName);
    return XmlDocument(
        xmlCtxtReadFile(parser.context(), fileName.c_str(), nullptr, XML_PARSE_NONET));
}

Schema readSchema(const std::string &schemaFile) {
    const std::string failure = "Unable to parse RelaxNG schema " + inQuotes(schemaFile) + ": ";
    // Read here and not by xmlRelaxNGNewParserCtxt(), which would complain to stderr.
    const XmlDocument document = readQuietly(schemaFile);
    if (!document)
        throw Error(ErrorCode::xmlSchemaUnusable,
                    failure + "xmlRelaxNGParse: could not load " + schemaFile + "\n");

    Messages messages;
    const auto parser = allocated(SchemaParser(xmlRelaxNGNewDocParserCtxt(document.get())));
    xmlRelaxNGSetParserStructuredErrors(parser.get(), addMessage, &messages);

    static constinit Mutex mutex; // of libxml2's tables, which the first schema of a process fills
    const MutexLock lock(mutex);
    Schema schema(xmlRelaxNGParse(parser.get()));
    if (!schema)
        raise(ErrorCode::xmlSchemaUnusable, failure, messages);
    return schema;
}

} // namespace

void validateAgainstSchema(xmlDoc &document, const std::string &schemaFile) {
    const Schema schema = readSchema(schemaFile);
    Messages messages;
    const auto validator = allocated(Validator(xmlRelaxNGNewValidCtxt(schema.get())));
    xmlRelaxNGSetValidStructuredErrors(validator.get(), addMessage, &messages);
    if (xmlRelaxNGValidateDoc(validator.get(), &document) != 0)
        raise(ErrorCode::xmlSchemaMismatch, "Unable to validate doc against " + schemaFile + "\n",
              messages);
}

} // namespace keyhold
