// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/process_handlers.h"

#include "conf/xml_parser.h"

namespace keyhold {

namespace {

extern "C" void countGeneric(void *calls, const char *, ...) {
    ++*static_cast<int *>(calls);
}

extern "C" void countStructured(void *calls, XmlErrorPointer) {
    ++*static_cast<int *>(calls);
}

} // namespace

ProcessHandlers::ProcessHandlers() {
    xmlSetGenericErrorFunc(&calls_, countGeneric);
    xmlSetStructuredErrorFunc(&calls_, countStructured);
}

ProcessHandlers::~ProcessHandlers() {
    xmlSetGenericErrorFunc(nullptr, nullptr);
    xmlSetStructuredErrorFunc(nullptr, nullptr);
}

bool ProcessHandlers::areSet() const {
    return xmlGenericError == countGeneric && xmlGenericErrorContext == &calls_ &&
           xmlStructuredError == countStructured && xmlStructuredErrorContext == &calls_;
}

} // namespace keyhold
