// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/driver_report.h"

#include "conf/bytes.h"
#include "conf/error.h"
#include "conf/json_object.h"
#include "config.h"
#include "os/descriptor.h"
#include "os/proc_file.h"

#include <ctime>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold {

namespace {

constexpr const char *kStaged = "keyhold-report.json.new";

JsonObject jsonOf(const FileStatus &status) {
    JsonObject json;
    json.add("device", std::uint64_t{status.device});
    json.add("inode", std::uint64_t{status.inode});
    return json;
}

JsonObject jsonOf(const DriverReport::Settings &settings, std::int64_t read) {
    JsonObject json;
    json.add("file", settings.path);
    json.add("read", read);
    if (settings.file) {
        JsonObject status = jsonOf(*settings.file);
        status.add("size", std::int64_t{settings.file->size});
        status.add("changed", settings.file->changed);
        json.add("status", status);
    } else {
        json.addNull("status");
    }
    return json;
}

JsonObject jsonOf(const DriverReport::Counts &counts) {
    JsonObject json;
    json.add("secrets", counts.secrets);
    json.add("ephemeral", counts.ephemeral);
    json.add("withoutValue", counts.withoutValue);
    json.add("unreadable", counts.unreadable);
    json.add("plain", counts.plain);
    json.add("aes256cbc", counts.aes256cbc);
    json.add("sealed", counts.sealed);
    JsonObject byKey;
    for (const auto &[keyId, count] : counts.unreadableByKey)
        byKey.add(keyId, count);
    json.add("unreadableByKey", byKey);
    if (counts.storedWithoutValue)
        json.add("storedWithoutValue", std::span<const std::string>(*counts.storedWithoutValue));
    else
        json.addNull("storedWithoutValue");
    return json;
}

JsonObject jsonOf(const EndedReencryption &last) {
    JsonObject json;
    json.add("ended", last.ended);
    json.add("reencrypted", last.reencrypted);
    json.add("failed", last.failed);
    return json;
}

/// Not synced: after a power cut there is no process that it is of. Raises fileAccess.
void replace(const std::string &path, const std::string &text) {
    FileSystem &fileSystem = posixFileSystem();
    const auto raiseIf = [&](int result) {
        if (result < 0)
            throw Error(ErrorCode::fileAccess,
                        "cannot write " + inQuotes(path + "/" + DriverReport::kFileName), -result);
    };
    const Descriptor directory(fileSystem, fileSystem.openDirectory(path));
    raiseIf(directory.number());
    fileSystem.unlink(directory.number(), kStaged);
    const Descriptor file(fileSystem,
                          fileSystem.open(directory.number(), kStaged,
                                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    raiseIf(file.number());
    const int written = fileSystem.writeAll(file.number(), bytesOf(text));
    if (written < 0)
        fileSystem.unlink(directory.number(), kStaged);
    raiseIf(written);
    raiseIf(fileSystem.rename(directory.number(), kStaged, DriverReport::kFileName));
}

void remove(const std::string &path) noexcept {
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor directory(fileSystem, fileSystem.openDirectory(path));
    if (directory.number() >= 0)
        fileSystem.unlink(directory.number(), DriverReport::kFileName);
}

} // namespace

const char *DriverReport::nameOf(NewValues newValues) noexcept {
    switch (newValues) {
    case NewValues::plain:
        return "plain";
    case NewValues::sealed:
        return "sealed";
    case NewValues::refused:
        break;
    }
    return "refused";
}

std::string jsonOf(const DriverReport &report) {
    JsonObject directory = jsonOf(report.directoryStatus);
    directory.add("path", report.directory);
    JsonObject reencryption;
    reencryption.add("running", report.isReencrypting);
    reencryption.add("left", report.toReencrypt);
    if (report.lastReencryption)
        reencryption.add("last", jsonOf(*report.lastReencryption));
    else
        reencryption.addNull("last");

    JsonObject json;
    json.add("schema", DriverReport::kSchema);
    json.add("keyhold", KEYHOLD_VERSION);
    json.add("libvirt", report.libvirtRelease);
    json.add("pid", ::getpid());
    json.add("processStarted", startedIn(textOfProc("/proc/self/stat")));
    json.add("written", std::int64_t{std::time(nullptr)});
    json.add("settings", jsonOf(report.settings, report.settingsRead));
    json.add("newValues", DriverReport::nameOf(report.newValues));
    json.add("whyRefused", report.whyRefused);
    json.add("keys", std::span<const std::string>(report.keys));
    if (report.hasCurrentKey)
        json.add("currentKey", report.keys.front());
    else
        json.addNull("currentKey");
    json.add("missingKeys", report.missingKeys);
    json.add("keyMemory", report.keyMemory);
    json.add("directory", directory);
    json.add("failure", report.failure);
    if (report.counts)
        json.add("counts", jsonOf(*report.counts));
    else
        json.addNull("counts");
    json.add("reencryption", reencryption);
    return json.text() + "\n";
}

DriverReportFile::DriverReportFile(std::string directory)
    : directory_(std::move(directory)),
      owner_(::getpid()) {}

DriverReportFile::~DriverReportFile() {
    if (::getpid() == owner_)
        remove(directory_);
}

void DriverReportFile::write(const DriverReport &report, AdminLog &log) noexcept {
    try {
        replace(directory_, jsonOf(report));
        told_.clear();
    } catch (const Error &error) {
        remove(directory_);
        if (std::exchange(told_, error.fullText()) != told_)
            log.warning("keyhold status will not know what this driver does: " + error.fullText());
    } catch (const std::exception &exception) {
        log.failure("keyhold status will not know what this driver does: ", exception);
    }
}

} // namespace keyhold
