// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/xml_document.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keyhold {

#if LIBXML_VERSION >= 21200
using XmlErrorPointer = const xmlError *;
#else
using XmlErrorPointer = xmlError *;
#endif

/// A libxml2 parser that keeps the first fatal error to itself: nothing reaches the handlers that
/// the process has set, nor stderr. Good for one document.
class XmlParser {
  public:
    /// Errors name the file; with an empty name, only the line. `limited` is what will be parsed,
    /// and stays the caller's: beyond XmlLimits it is refused, as malformed. Without it there are
    /// no limits but libxml2's own.
    explicit XmlParser(std::string fileName, std::optional<std::string_view> limited = {});
    XmlParser(const XmlParser &) = delete;
    XmlParser &operator=(const XmlParser &) = delete;
    ~XmlParser();

    [[nodiscard]] xmlParserCtxt *context() const noexcept { return context_.get(); }

    /// Takes over what a function of libxml2 made with the context. Raises xmlMalformed if that is
    /// nothing, worded as libvirt does: place, libxml2's message, the line of the input and a caret
    /// under the position; xmlInvalid if libxml2 gave no reason.
    [[nodiscard]] XmlDocument finish(xmlDoc *result) const;

    struct State;

  private:
    // Errors of libxml2's character converters go past the parser to the thread's own handler.
    class QuietThread {
      public:
        QuietThread() noexcept;
        ~QuietThread();
        QuietThread(const QuietThread &) = delete;
        QuietThread &operator=(const QuietThread &) = delete;

      private:
        xmlStructuredErrorFunc handler_;
        void *data_;
    };

    QuietThread quiet_;
    std::unique_ptr<State> state_;
    XmlPointer<xmlParserCtxt, xmlFreeParserCtxt> context_;
};

} // namespace keyhold
