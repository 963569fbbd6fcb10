// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// libvirt's log of this process, in a file, as long as this lives; one at a time. `filters` are
/// those of libvirt's settings, "2:secret.keyhold"; without them only warnings and errors are
/// there.
class LibvirtLogFile {
  public:
    explicit LibvirtLogFile(const std::string &filters = "");
    ~LibvirtLogFile();
    LibvirtLogFile(const LibvirtLogFile &) = delete;
    LibvirtLogFile &operator=(const LibvirtLogFile &) = delete;

    [[nodiscard]] std::string text() const;

  private:
    std::string path_;
};

} // namespace keyhold
