// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "conf/admin_log.h"
#include "os/deadline.h"
#include "os/file_system.h"

#include <chrono>
#include <optional>
#include <string>

namespace keyhold::audit {

/// The key that seals the records of a trail which is being written, and its file. It is kept once
/// a minute: whoever takes the file can forge records since.
class TrailKey {
  public:
    /// `path` is absolute. Both others outlive this.
    TrailKey(FileSystem &fileSystem, std::string path, AdminLog &log)
        : fileSystem_(fileSystem),
          path_(std::move(path)),
          log_(log) {}

    /// Takes the key from its file, if there is none yet and there is such a file. Returns the last
    /// record that was written when it was kept.
    std::optional<Head> take();
    /// Null while there is none: records are not sealed.
    [[nodiscard]] SealingKey *get() noexcept { return key_ ? &*key_ : nullptr; }

    /// Records were sealed and written since the key was kept.
    void noteUse() noexcept { mustSave_ = key_.has_value(); }
    [[nodiscard]] bool mustSave() const noexcept { return mustSave_; }
    [[nodiscard]] Deadline::Clock::time_point due() const noexcept;
    /// Keeps the key of the record behind `head`.
    void save(const Head &head) noexcept;

  private:
    FileSystem &fileSystem_;
    const std::string path_;
    AdminLog &log_;
    std::optional<SealingKey> key_;
    std::string told_; // why there is none
    Deadline::Clock::time_point saved_{};
    bool mustSave_ = false;
};

} // namespace keyhold::audit
