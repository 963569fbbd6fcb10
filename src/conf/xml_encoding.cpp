// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_encoding.h"

#include <libxml/encoding.h>

#include <new>

namespace keyhold {

#if LIBXML_VERSION >= 21400

Utf8Text::Utf8Text(const xmlParserCtxt & /*parser*/, std::string_view content) : text_(content) {}

#else

Utf8Text::Utf8Text(const xmlParserCtxt &parser, std::string_view content) : text_(content) {
    const xmlParserInputBuffer *input = parser.input == nullptr ? nullptr : parser.input->buf;
    if (input == nullptr || input->encoder == nullptr)
        return;
    // The parser converts a few bytes at a time.
    struct HandlerDeleter {
        void operator()(xmlCharEncodingHandler *handler) const noexcept {
            xmlCharEncCloseFunc(handler);
        }
    };
    const std::unique_ptr<xmlCharEncodingHandler, HandlerDeleter> handler(
        xmlFindCharEncodingHandler(input->encoder->name));
    const std::unique_ptr<xmlBuffer, BufferDeleter> in(
        xmlBufferCreateStatic(const_cast<char *>(content.data()), content.size()));
    converted_.reset(xmlBufferCreate());
    if (!handler || !in || !converted_)
        throw std::bad_alloc();
    int left = 0;
    do {
        left = xmlBufferLength(in.get());
        static_cast<void>(xmlCharEncInFunc(handler.get(), converted_.get(), in.get()));
    } while (xmlBufferLength(in.get()) != left);
    text_ = {reinterpret_cast<const char *>(xmlBufferContent(converted_.get())),
             static_cast<std::size_t>(xmlBufferLength(converted_.get()))};
}

#endif

} // namespace keyhold
