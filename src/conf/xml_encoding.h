// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <memory>
#include <string_view>

namespace keyhold {

/// The text of a document as libxml2 will read it.
class Utf8Text {
  public:
    /// `content` is all that `parser` was given, which has read the XML declaration; it stays the
    /// caller's, and is the text itself if the parser does not convert it. From libxml2 2.14 on,
    /// which does not say so, it always is. Raises std::bad_alloc.
    Utf8Text(const xmlParserCtxt &parser, std::string_view content);

    /// As far as it could be converted.
    [[nodiscard]] std::string_view view() const noexcept { return text_; }

  private:
    struct BufferDeleter {
        void operator()(xmlBuffer *buffer) const noexcept { xmlBufferFree(buffer); }
    };

    std::unique_ptr<xmlBuffer, BufferDeleter> converted_;
    std::string_view text_;
};

} // namespace keyhold
