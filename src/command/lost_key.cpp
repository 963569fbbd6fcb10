// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/lost_key.h"

#include "command/settings_notes.h"
#include "command/told_state.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "os/store_directory.h"

#include <algorithm>
#include <filesystem>

namespace keyhold::command {

namespace {

constexpr const char *kRemedy = "; mount the file system that it is on, or put the file back";

bool isNamedBy(const KeyPlan &plan, const std::string &place) {
    const auto isPlace = [&](const std::string &path) {
        return std::filesystem::path(path).lexically_normal() == place;
    };
    return isPlace(plan.keyPath) || std::ranges::any_of(plan.earlierKeyPaths, isPlace);
}

void requireNoNote(const Target &target, const std::string &place) {
    const std::string note = settings_notes::ofCurrentKey(target.paths.settingsFile);
    if (note.empty())
        return;
    const auto keyId = settings_notes::keyIn(note);
    throw Error(ErrorCode::configUnsupported,
                inQuotes(target.paths.settingsFile) + " says that " +
                    (keyId ? "key " + *keyId : std::string("a key")) + " is in " + inQuotes(place) +
                    ", and nothing is there" + kRemedy +
                    "; if it is lost for good, take out that comment (# keyhold: ...)");
}

void requireNoDaemonWithIt(const Target &target, const std::string &place) {
    const auto holder = findHolder(target.paths);
    const DriverView view = viewDriver(target, holder);
    if (!view.told || !view.told->report.hasCurrentKey || view.told->report.keys.empty() ||
        !hasReadSettings(*view.told))
        return;
    throw Error(ErrorCode::configUnsupported,
                holder->text() + " has read key " + view.told->report.keys.front() + " from " +
                    inQuotes(place) + ", and nothing is there now" + kRemedy);
}

void requireNoValueThatNeedsIt(const Target &target, const StoreKeys &store,
                               const std::string &place) {
    if (!exists(target))
        return;
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const Inspection inspection = inspect(directory, *store.host.policy);
    const auto needsKey = [](const StoreFinding &finding) {
        using Kind = StoreFinding::Kind;
        return finding.kind == Kind::missingKey ||
               ((finding.kind == Kind::damagedValue || finding.kind == Kind::unreadableFile) &&
                finding.file.ends_with(".aes256cbc"));
    };
    const auto found = std::ranges::find_if(inspection.findings, needsKey);
    if (found != inspection.findings.end())
        throw Error(ErrorCode::configUnsupported,
                    "'" + target.paths.settingsFile + "' names '" + place + "' as a key, and '" +
                        directory.pathOf(found->file) +
                        "' needs a key that is not there; put the lost one back, or make the new "
                        "one at another place");
}

} // namespace

void requireNoLostKey(const Target &target, const StoreKeys &store, const std::string &place) {
    FileStatus status;
    if (!isNamedBy(store.host.plan, place) || posixFileSystem().statusOf(place, status) >= 0)
        return;
    if (std::filesystem::path(store.host.plan.keyPath).lexically_normal() == place) {
        requireNoNote(target, place);
        requireNoDaemonWithIt(target, place);
    }
    requireNoValueThatNeedsIt(target, store, place);
}

} // namespace keyhold::command
