// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// Prints one JSON value piece by piece, as printJson() would the whole of it: for what is too
/// large to be in memory as JSON. A `name` is that of a member of an object, and null for what is
/// in an array or the outermost value. Nothing may be raised before the last close().
class JsonStream {
  public:
    void openObject(const char *name = nullptr) { open(name, '{', '}'); }
    void openArray(const char *name = nullptr) { open(name, '[', ']'); }
    void put(const char *name, const Json &value);
    /// Closes what was opened last.
    void close();

  private:
    struct Level {
        char closing;
        bool hasAny = false;
    };

    void open(const char *name, char opening, char closing);
    void beginValue(const char *name);

    std::vector<Level> levels_;
};

} // namespace keyhold::command
