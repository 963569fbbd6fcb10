// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "os/file_system.h"
#include "store/reencryption.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace keyhold {

/// What a driver at work says of itself and one of its stores, for `keyhold`. In a file, as
/// JSON, by docs/driver-report.schema.json; nothing of it is a key or a value.
struct DriverReport {
    static constexpr int kSchema = 1;
    /// In the state directory of the instance, beside the lock.
    static constexpr const char *kFileName = "keyhold-report.json";

    /// A settings file as it was read: it says nothing of the content.
    struct Settings {
        std::string path;
        std::optional<FileStatus> file; ///< empty if there was none
    };
    enum class NewValues { plain, sealed, refused };
    /// "plain", "sealed", "refused".
    [[nodiscard]] static const char *nameOf(NewValues newValues) noexcept;
    struct Counts {
        std::size_t secrets = 0;
        std::size_t ephemeral = 0; ///< of these, in memory alone
        std::size_t withoutValue = 0;
        std::size_t unreadable = 0; ///< there is a value, and it is unavailable
        // Of the stored values, which need not be readable:
        std::size_t plain = 0;
        std::size_t aes256cbc = 0;
        std::size_t sealed = 0;
        /// The values that need a key which is not here, by its id, which is empty where a value
        /// does not name it. No more than kMaxMissingKeys; those of further keys count for "".
        std::map<std::string, std::size_t> unreadableByKey;
        /// The uuids of stored secrets without a value; empty if they are more than
        /// kMaxWithoutValue.
        std::optional<std::vector<std::string>> storedWithoutValue;
    };
    static constexpr std::size_t kMaxMissingKeys = 100;
    static constexpr std::size_t kMaxWithoutValue = 10'000;

    unsigned long libvirtRelease = 0; ///< as virGetVersion(); 0 if unknown
    Settings settings;
    std::int64_t settingsRead = 0; ///< seconds since the epoch
    NewValues newValues = NewValues::plain;
    std::string whyRefused;        ///< with the remedy; empty unless refused
    std::vector<std::string> keys; ///< ids, the current one first if there is one
    bool hasCurrentKey = false;
    std::string missingKeys; ///< why configured keys are not here; empty if all are
    std::string keyMemory;   ///< "secretmem", "locked", "unlocked"; "none" without a key
    std::string directory;
    FileStatus directoryStatus;   ///< of the directory that is open
    std::string failure;          ///< why the store cannot be used in full; empty if it can
    std::optional<Counts> counts; ///< empty if the store could not be read
    std::size_t toReencrypt = 0;
    bool isReencrypting = false;
    std::optional<EndedReencryption> lastReencryption; ///< empty if there was none
};

/// The text of a report of this process, written now.
[[nodiscard]] std::string jsonOf(const DriverReport &report);

/// The file of the reports of one instance, with mode 0600: replaced as a whole, removed with this,
/// unless by a forked child.
class DriverReportFile {
  public:
    explicit DriverReportFile(std::string directory);
    ~DriverReportFile();
    DriverReportFile(const DriverReportFile &) = delete;
    DriverReportFile &operator=(const DriverReportFile &) = delete;

    /// What keeps it from being written goes to the log, once for each reason, and the file before
    /// it goes, for it is no longer true. By one thread at a time.
    void write(const DriverReport &report, AdminLog &log) noexcept;

  private:
    const std::string directory_;
    const pid_t owner_;
    std::string told_;
};

} // namespace keyhold
