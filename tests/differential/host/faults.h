// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold::faults {

/// What a module asks of the system for a file in a directory of secrets. The program defines the C
/// library's functions for it, so that both modules meet the same failure whatever names they give
/// to their temporary files.
enum class Call {
    create,        ///< open with O_CREAT
    write,         ///< any write to a regular file
    sync,          ///< fsync or fdatasync of a regular file
    close,         ///< close of a regular file that was written to
    place,         ///< rename or link to `name`
    remove,        ///< unlink of `name`, or rename from it
    syncDirectory, ///< fsync of the directory
};

enum class Action { fail, killBefore, killAfter };

struct Fault {
    Call call = Call::create;
    std::string name = {}; ///< of the file, for place and remove; empty means any
    Action action = Action::fail;
    int error = 0;       ///< errno of a call that fails
    int filesSpared = 0; ///< this many files (not calls) first go unharmed
    int times = -1;      ///< how many calls fail then; all of them if negative
};

/// From now on such calls on files of `directory` fail, or end the process. One fault at a time.
void arm(const std::string &directory, const Fault &fault);
/// Ends that, and says whether any call was met.
bool disarm();

/// What happened in `directory` between startTrace and stopTrace.
struct Trace {
    int fileSyncs = 0;
    int directorySyncs = 0;
    int inheritable = 0; ///< files opened without O_CLOEXEC
    int opened = 0;
};
void startTrace(const std::string &directory);
[[nodiscard]] Trace stopTrace();

} // namespace keyhold::faults
