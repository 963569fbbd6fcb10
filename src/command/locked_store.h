// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"
#include "conf/admin_log.h"
#include "directory/directory_backend.h"
#include "os/directory_lock.h"
#include "os/file_system.h"
#include "os/store_lock.h"

#include <memory>
#include <optional>

namespace keyhold::command {

/// A store that this process has to itself, to change it: both locks, and what an interrupted
/// change left is put right. The log goes to the terminal.
class LockedStore {
  public:
    /// Raises LockedError; configUnsupported if the directory is another user's; systemCall,
    /// fileAccess.
    explicit LockedStore(const Target &target, FileSystem &fileSystem = posixFileSystem());

    [[nodiscard]] const std::shared_ptr<DirectoryBackend> &backend() const { return backend_; }
    /// Opened once: what is judged is what is written to.
    [[nodiscard]] const StoreDirectory &directory() const { return *directory_; }

  private:
    class TerminalLog : public AdminLog {
      public:
        void info(const std::string &text) override { tell(text); }
        void notice(const std::string &text) override { tell(text); }
        void warning(const std::string &text) override { tell(text); }
        void error(const std::string &text) override { tell(text); }
    };

    TerminalLog log_;
    StoreDirectory *directory_ = nullptr; ///< the backend's
    std::optional<StoreLock> lock_;
    std::optional<DirectoryLock> directoryLock_;
    std::shared_ptr<DirectoryBackend> backend_;
};

} // namespace keyhold::command
