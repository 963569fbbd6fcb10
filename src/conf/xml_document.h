// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/tree.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace keyhold {

/// An object of libxml2 with the function of libxml2 that frees it.
template <auto kFree>
struct XmlDeleter {
    void operator()(auto *object) const noexcept { kFree(object); }
};
template <typename T, auto kFree>
using XmlPointer = std::unique_ptr<T, XmlDeleter<kFree>>;

/// The text of libxml2's; none for null.
[[nodiscard]] inline std::string_view viewOf(const xmlChar *text) noexcept {
    return text == nullptr ? std::string_view() : reinterpret_cast<const char *>(text);
}

/// A well-formed document with a root element. Its internal entities expand to no more than libxml2
/// takes for one text (XML_MAX_TEXT_LENGTH), all references together; external ones are not there.
/// It is within XmlLimits.
using XmlDocument = XmlPointer<xmlDoc, xmlFreeDoc>;

/// Parses a NUL-terminated string as libvirt parses what clients send: as UTF-8, unless libxml2
/// heeds a declared encoding for strings too (since 2.14). Raises xmlMalformed, xmlInvalid.
[[nodiscard]] XmlDocument parseXmlString(const char *xml);

/// Parses the content of a file, in the encoding it declares or begins with; `fileName` appears in
/// error texts only. Raises xmlMalformed, xmlInvalid.
[[nodiscard]] XmlDocument parseXmlFile(std::span<const char> content, const std::string &fileName);

} // namespace keyhold
