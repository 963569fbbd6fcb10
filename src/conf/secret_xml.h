// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyhold {

/// Parses the document of a client (virSecretDefineXML), a NUL-terminated string. A missing uuid is
/// generated. With `schemaFile`, the document is validated against that RELAX NG file after its
/// root was checked and before it is read, as libvirt does for VIR_SECRET_DEFINE_VALIDATE. Raises
/// xmlMalformed, xmlRootUnexpected, xmlSchemaMismatch, xmlSchemaUnusable, xmlInvalid,
/// xmlAttributeInvalid and internal, with the texts of the stock driver; where its releases differ,
/// those of 11.3.0 and 12.8.0. Refuses, as xmlMalformed, what would expand to more than 10 MB and
/// what XmlLimits does not allow.
[[nodiscard]] SecretDefinition parseSecretXml(const char *xml, const char *schemaFile = nullptr);

/// Parses the content of a definition file; `fileName` appears in error texts only. Unlike for a
/// string, a declared encoding is always honoured, and a text of more than 10,000,000 bytes is
/// refused, because the stock driver could not load it. Raises the same errors.
[[nodiscard]] SecretDefinition parseSecretFile(std::span<const char> content,
                                               const std::string &fileName);

/// The document libvirt's clients and files see: byte for byte that of the stock driver, except
/// that a carriage return is written as a character reference, without which a parser turns it into
/// a line feed (XML 1.0, 2.11).
[[nodiscard]] std::string formatSecretXml(const SecretDefinition &definition);

/// Reads a document that is, byte for byte, what formatSecretXml() writes; that is what a store is
/// full of, and takes libxml2 many times as long. Empty for every other document, good or bad,
/// and for one with a character outside of ASCII or of more than 64 KiB: those are libxml2's. Where
/// there is an answer, it is the one that libxml2 leads to.
[[nodiscard]] std::optional<SecretDefinition> parseCanonicalXml(std::string_view xml);

} // namespace keyhold
