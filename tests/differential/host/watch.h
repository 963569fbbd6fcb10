// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "faults.h"

#include <string>

#include <sys/types.h>

/// The bookkeeping behind faults.h, apart from the C library's functions that call it.
namespace keyhold::faults {

/// A file by the directory it is in. Links in the directory's own path are resolved.
struct Place {
    std::string directory = {};
    std::string name = {};
    bool isDirectory = false; ///< the place is the directory itself, `name` is empty
    bool isRegular = false;
    ino_t inode = 0; ///< 0 if it is not open
};

struct FileCall {
    Call call;
    Place place;
};

/// Whether a fault is armed or a trace runs.
[[nodiscard]] bool watching();
/// Where an open descriptor, or a name relative to one, is.
[[nodiscard]] Place placeOf(int descriptor);
[[nodiscard]] Place placeOf(int directory, const char *path);
struct Verdict {
    int error = 0; ///< the errno with which the call must fail, or 0
    bool dieAfter = false;
};
/// To be asked before the call, once; does not return if the fault is to kill then.
[[nodiscard]] Verdict before(const FileCall &call);
void after(const Verdict &verdict);
void countOpen(const Place &place, int flags);
void countSync(const Place &place);

} // namespace keyhold::faults
