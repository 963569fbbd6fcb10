// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"
#include "os/store_directory.h"

#include <optional>
#include <string>

namespace keyhold::command {

/// A `secret.conf` that this process changes, and no other run of the command at the same time. A
/// link is followed to the file that it leads to, which keeps its mode, its owner, and
/// its extended attributes.
class SettingsEditor {
  public:
    /// Raises configUnsupported while another run of the command changes it; systemCall,
    /// fileAccess.
    explicit SettingsEditor(const std::string &path);

    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    [[nodiscard]] const std::string &text() const noexcept { return text_; }
    /// Durable when it returns. Nothing is written if the text is as before; false then. Raises
    /// fileAccess, and if somebody else has changed the file since it was read.
    bool write(const std::string &text);

  private:
    void read();

    const std::string path_;
    std::optional<StoreDirectory> directory_;
    std::string name_;
    std::string text_;
    std::optional<FileStatus> status_; ///< empty if there is no file
};

/// The settings that have a daemon convert what is stored, for as long as the command works.
/// Each has a note in the file, by which the next run finds what a killed one left.
namespace temporary_settings {

/// With `setting = 1` and the note.
[[nodiscard]] std::string with(const std::string &text, const std::string &setting);
/// As it was before with(), for every setting that has a note of it.
[[nodiscard]] std::string without(std::string text);

} // namespace temporary_settings

} // namespace keyhold::command
