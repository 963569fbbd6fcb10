// SPDX-License-Identifier: LGPL-2.1-or-later
// The C library's names below must be its own, not the ones a header may map them to.
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "faults.h"

#include "watch.h"

#include <cerrno>

#include <cstdarg>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

using keyhold::faults::Call;
using keyhold::faults::FileCall;

namespace {

/// The C library's function of this name (or the one of a sanitizer that comes before it).
template <typename Function>
Function next(Function, const char *name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

/// Does the call unless the armed fault forbids it.
template <typename Do>
auto guarded(const FileCall &what, Do call) -> decltype(call()) {
    keyhold::faults::Verdict verdict = keyhold::faults::before(what);
    if (verdict.error != 0) {
        errno = verdict.error;
        return -1;
    }
    auto result = call();
    keyhold::faults::after(verdict);
    return result;
}

template <typename Do>
ssize_t guardedWrite(int descriptor, Do call) {
    if (!keyhold::faults::watching())
        return call();
    return guarded({Call::write, keyhold::faults::placeOf(descriptor)}, call);
}

template <typename Do>
int guardedOpen(int directory, const char *path, int flags, Do call) {
    if (!keyhold::faults::watching())
        return call();
    keyhold::faults::Place place = keyhold::faults::placeOf(directory, path);
    keyhold::faults::countOpen(place, flags);
    if (!(flags & O_CREAT))
        return call();
    return guarded({Call::create, place}, call);
}

template <typename Do>
int guardedRename(int oldDirectory, const char *from, int newDirectory, const char *to, Do call) {
    if (!keyhold::faults::watching())
        return call();
    FileCall leaving{Call::remove, keyhold::faults::placeOf(oldDirectory, from)};
    FileCall arriving{Call::place, keyhold::faults::placeOf(newDirectory, to)};
    return guarded(leaving, [&] { return guarded(arriving, call); });
}

template <typename Do>
int guardedSync(int descriptor, Do call) {
    if (!keyhold::faults::watching())
        return call();
    keyhold::faults::Place place = keyhold::faults::placeOf(descriptor);
    keyhold::faults::countSync(place);
    return guarded({place.isDirectory ? Call::syncDirectory : Call::sync, place}, call);
}

mode_t modeFrom(int flags, va_list arguments) {
    bool hasMode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return hasMode ? va_arg(arguments, mode_t) : 0;
}

} // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = modeFrom(flags, arguments);
    va_end(arguments);
    return guardedOpen(AT_FDCWD, path, flags,
                       [&] { return next(&open, "open")(path, flags, mode); });
}

EXPORTED int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = modeFrom(flags, arguments);
    va_end(arguments);
    return guardedOpen(AT_FDCWD, path, flags,
                       [&] { return next(&open64, "open64")(path, flags, mode); });
}

EXPORTED int openat(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = modeFrom(flags, arguments);
    va_end(arguments);
    return guardedOpen(directory, path, flags,
                       [&] { return next(&openat, "openat")(directory, path, flags, mode); });
}

EXPORTED int openat64(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = modeFrom(flags, arguments);
    va_end(arguments);
    return guardedOpen(directory, path, flags,
                       [&] { return next(&openat64, "openat64")(directory, path, flags, mode); });
}

EXPORTED ssize_t write(int descriptor, const void *bytes, size_t size) {
    return guardedWrite(descriptor, [&] { return next(&write, "write")(descriptor, bytes, size); });
}

EXPORTED ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at) {
    return guardedWrite(descriptor,
                        [&] { return next(&pwrite64, "pwrite64")(descriptor, bytes, size, at); });
}

EXPORTED ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    return guardedWrite(descriptor,
                        [&] { return next(&writev, "writev")(descriptor, parts, count); });
}

EXPORTED int fsync(int descriptor) {
    return guardedSync(descriptor, [&] { return next(&fsync, "fsync")(descriptor); });
}

EXPORTED int fdatasync(int descriptor) {
    return guardedSync(descriptor, [&] { return next(&fdatasync, "fdatasync")(descriptor); });
}

EXPORTED int close(int descriptor) {
    auto real = [&] { return next(&close, "close")(descriptor); };
    if (!keyhold::faults::watching())
        return real();
    FileCall what{Call::close, keyhold::faults::placeOf(descriptor)};
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return real();
    // The descriptor is gone whatever close returns.
    keyhold::faults::Verdict verdict = keyhold::faults::before(what);
    int result = real();
    keyhold::faults::after(verdict);
    if (verdict.error == 0)
        return result;
    errno = verdict.error;
    return -1;
}

EXPORTED int rename(const char *from, const char *to) noexcept {
    return guardedRename(AT_FDCWD, from, AT_FDCWD, to,
                         [&] { return next(&rename, "rename")(from, to); });
}

EXPORTED int renameat(int oldDirectory, const char *from, int newDirectory,
                      const char *to) noexcept {
    return guardedRename(oldDirectory, from, newDirectory, to, [&] {
        return next(&renameat, "renameat")(oldDirectory, from, newDirectory, to);
    });
}

EXPORTED int renameat2(int oldDirectory, const char *from, int newDirectory, const char *to,
                       unsigned int flags) noexcept {
    return guardedRename(oldDirectory, from, newDirectory, to, [&] {
        return next(&renameat2, "renameat2")(oldDirectory, from, newDirectory, to, flags);
    });
}

EXPORTED int link(const char *from, const char *to) noexcept {
    auto real = [&] { return next(&link, "link")(from, to); };
    if (!keyhold::faults::watching())
        return real();
    return guarded({Call::place, keyhold::faults::placeOf(AT_FDCWD, to)}, real);
}

EXPORTED int linkat(int oldDirectory, const char *from, int newDirectory, const char *to,
                    int flags) noexcept {
    auto real = [&] {
        return next(&linkat, "linkat")(oldDirectory, from, newDirectory, to, flags);
    };
    if (!keyhold::faults::watching())
        return real();
    return guarded({Call::place, keyhold::faults::placeOf(newDirectory, to)}, real);
}

EXPORTED int unlink(const char *path) noexcept {
    auto real = [&] { return next(&unlink, "unlink")(path); };
    if (!keyhold::faults::watching())
        return real();
    return guarded({Call::remove, keyhold::faults::placeOf(AT_FDCWD, path)}, real);
}

EXPORTED int unlinkat(int directory, const char *path, int flags) noexcept {
    auto real = [&] { return next(&unlinkat, "unlinkat")(directory, path, flags); };
    if (!keyhold::faults::watching())
        return real();
    return guarded({Call::remove, keyhold::faults::placeOf(directory, path)}, real);
}
