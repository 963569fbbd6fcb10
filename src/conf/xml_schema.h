// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/tree.h>

#include <string>

namespace keyhold {

/// Validates the document against the RELAX NG schema in a file. Raises xmlSchemaMismatch with
/// libxml2's lines, and xmlSchemaUnusable if the schema cannot be read.
void validateAgainstSchema(xmlDoc &document, const std::string &schemaFile);

} // namespace keyhold
