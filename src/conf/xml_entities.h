// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/tree.h>

#include <string>

namespace keyhold {

/// Refuses a document whose entity references, all together, would expand to more than 10,000,000
/// bytes (XML_MAX_TEXT_LENGTH of libxml2; every node takes one byte more). libxml2 2.9.14
/// accepts small documents that expand to gigabytes as soon as their text is asked for.
/// The error text begins with `place`. Raises xmlMalformed.
void refuseLargeExpansion(const xmlDoc &document, const std::string &place);

} // namespace keyhold
