// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/error_report.h"

#include "abi/libvirt_error.h"
#include "abi/release.h"
#include "abi/symbols.h"

#include <libvirt/virterror.h>

#include <cxxabi.h>
#include <new>

namespace keyhold {

namespace {

struct LibvirtCode {
    int domain;
    int code;
};

/// VIR_ERR_INVALID_ENCR_KEY_SECRET, which libvirt has since 12.1.0; before, as for any value that
/// cannot be read.
int invalidKeyCode() noexcept {
    constexpr unsigned long kSince = 12'001'000;
    constexpr int kInvalidEncryptionKey = 114;
    return abi::runningRelease() >= kSince ? kInvalidEncryptionKey : VIR_ERR_INTERNAL_ERROR;
}

LibvirtCode libvirtCode(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalidArgument:
        return {VIR_FROM_SECRET, VIR_ERR_INVALID_ARG};
    case ErrorCode::internal:
    case ErrorCode::valueUnreadable:
    case ErrorCode::notActive:
        break;
    case ErrorCode::configUnsupported:
        return {VIR_FROM_SECRET, VIR_ERR_CONFIG_UNSUPPORTED};
    case ErrorCode::xmlInvalid:
        return {VIR_FROM_SECRET, VIR_ERR_XML_ERROR};
    case ErrorCode::xmlAttributeInvalid:
    case ErrorCode::xmlRootUnexpected:
        return {VIR_FROM_XML, VIR_ERR_XML_ERROR};
    case ErrorCode::xmlMalformed:
        return {VIR_FROM_SECRET, VIR_ERR_XML_DETAIL};
    case ErrorCode::xmlSchemaMismatch:
        return {VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA};
    case ErrorCode::xmlSchemaUnusable:
        return {VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR};
    case ErrorCode::notFound:
        return {VIR_FROM_SECRET, VIR_ERR_NO_SECRET};
    case ErrorCode::privateValue:
        return {VIR_FROM_SECRET, VIR_ERR_INVALID_SECRET};
    case ErrorCode::invalidEncryptionKey:
        return {VIR_FROM_SECRET, invalidKeyCode()};
    case ErrorCode::fileAccess:
        return {VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR};
    case ErrorCode::systemCall:
        return {VIR_FROM_SECRET, VIR_ERR_SYSTEM_ERROR};
    case ErrorCode::noMemory:
        return {VIR_FROM_SECRET, VIR_ERR_NO_MEMORY};
    }
    return {VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR};
}

} // namespace

void reportError(const Error &error) noexcept {
    const LibvirtCode libvirt = libvirtCode(error.code());
    const SourcePlace place = error.place();
    if (libvirt.code == VIR_ERR_SYSTEM_ERROR)
        abi::raiseSystemError(libvirt.domain, error.systemErrno(), error.what(), place.file(),
                              place.function, place.line);
    else
        abi::raiseError(libvirt.domain, libvirt.code, error.what(), place.file(), place.function,
                        place.line);
}

void requireFlags(unsigned int flags, unsigned int supported, const char *function,
                  SourcePlace place) {
    const unsigned int unknown = flags & ~supported;
    if (unknown == 0)
        return;
    // As virReportInvalidArg does: no prefix, str1 the function, str2 the argument.
    abi::symbols().virRaiseErrorFull(place.file(), place.function, place.line, VIR_FROM_SECRET,
                                     VIR_ERR_INVALID_ARG, VIR_ERR_ERROR, function, "flags", nullptr,
                                     0, 0, "unsupported flags (0x%x) in function %s", unknown,
                                     function);
    throw ErrorAlreadyRaised();
}

// g++ has no object for the reference of the first catch clause, which its sanitizer then reports.
__attribute__((no_sanitize("null"))) void reportCurrentException() {
    try {
        throw;
    } catch (const ::abi::__forced_unwind &) {
        throw;
    } catch (const ErrorAlreadyRaised &) {
        // nothing to add
    } catch (const Error &error) {
        reportError(error);
    } catch (const std::bad_alloc &) {
        abi::raiseError(VIR_FROM_SECRET, VIR_ERR_NO_MEMORY, "");
    } catch (const std::exception &exception) {
        abi::raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, exception.what());
    } catch (...) {
        abi::raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "unknown exception");
    }
}

} // namespace keyhold
