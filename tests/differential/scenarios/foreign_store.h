// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "files.h"
#include "phase.h"

#include <string>
#include <string_view>

namespace keyhold {

/// Puts files under the root and a good secret beside them, which must load whatever else is there.
class Store {
  public:
    explicit Store(Phase &phase) : phase_(phase) {
        makeDirectories(phase.root() + "/etc/secrets");
        secret(0xf, "the good one", base64("good"));
    }
    void file(const std::string &name, std::string_view content, mode_t mode = 0600) {
        writeFile(phase_.file(name), content, mode);
    }
    /// A definition with a usage id, and a value file of that content.
    void secret(unsigned number, const std::string &id, std::string_view valueFile) {
        std::string uuid = chosenUuid(number);
        file(uuid + ".xml", toXml({.uuid = uuid, .type = "ceph", .id = id}));
        file(uuid + ".base64", valueFile);
    }

  private:
    Phase &phase_;
};

/// Opens the root and notes what is there.
void openAndLook(Phase &phase);

} // namespace keyhold
