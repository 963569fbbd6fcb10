// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check_findings.h"

#include "command/foreign_files.h"
#include "command/key_places.h"
#include "command/libraries.h"
#include "command/lost_store.h"
#include "command/read_only.h"
#include "command/repeated_reasons.h"
#include "conf/error.h"
#include "directory/layout.h"
#include "os/store_directory.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

using Kind = Finding::Kind;

const char *whoMayLook(const Target &target) {
    return target.kind == Target::Kind::system ? "run the check as root"
                                               : "run the check as its owner";
}

/// The user whom the process that has the store runs as, else the one of this process where the
/// store is a user's own.
std::optional<uid_t> serviceUser(const CheckedStore &checked) {
    struct stat status {};
    if (checked.holder && checked.holder->pid > 0 &&
        ::stat(("/proc/" + std::to_string(checked.holder->pid)).c_str(), &status) == 0)
        return status.st_uid;
    if (checked.target.kind != Target::Kind::system)
        return ::geteuid();
    return std::nullopt;
}

ExpectedModes expectedModes(const CheckedStore &checked, const Expectations &expectations) {
    ExpectedModes expected;
    expected.mode = expectations.mode;
    if (expectations.owner)
        expected.owners = {*expectations.owner};
    else if (const auto user = serviceUser(checked); user && *user != 0)
        expected.owners = {*user, 0};
    return expected;
}

void append(std::vector<Finding> &to, std::vector<Finding> &&more) {
    std::ranges::move(more, std::back_inserter(to));
}

/// What is wrong with the directory as a whole; true if there is something to look into.
bool checkDirectory(CheckedStore &checked, std::vector<Finding> &findings) {
    const std::string &path = checked.target.paths.configDirectory;
    FileStatus status;
    const int result = posixFileSystem().statusOf(path, status);
    if (result == -ENOENT || result == -ENOTDIR) {
        checked.holder = findHolder(checked.target.paths);
        if (auto lost = lostStore(checked.target, checked.holder))
            findings.push_back(*std::move(lost));
        else
            findings.push_back(
                {Kind::unseen, path,
                 "is not there; the first start of a daemon makes it, and nothing removes it"});
        return false;
    }
    if (result < 0 || ::access(path.c_str(), R_OK | X_OK) != 0) {
        findings.push_back({Kind::unseen, path,
                            std::string("cannot be looked into; ") + whoMayLook(checked.target)});
        return false;
    }
    checked.holder = findHolder(checked.target.paths);
    if (auto lost = lostStore(checked.target, checked.holder))
        findings.push_back(*std::move(lost));
    return true;
}

/// What the process that has the store open does otherwise than the files say.
void addDriverFindings(Report &report, std::vector<Finding> &findings) {
    // What follows from another directory than the daemon has open is no cause of its own.
    if (std::ranges::find(findings, Kind::store, &Finding::kind) == findings.end()) {
        const Drift drift =
            findDrift(report.target, report.holder, report.driver, report.inspection);
        append(findings, driftFindings(drift, report.target, report.holder));
        if (!drift.unknown.empty())
            findings.push_back(
                {Kind::unseen,
                 {},
                 "it is unknown whether files and daemon have the same secrets: " + drift.unknown});
    }
    append(findings, std::move(report.driverFindings));
}

void checkFiles(CheckedStore &checked, std::vector<Finding> &findings, std::vector<Cause> &causes,
                const std::vector<std::string> &keyFiles, const Expectations &expectations) {
    const std::string &path = checked.target.paths.configDirectory;
    Report report = reportOn(checked.target, keyFiles);
    addDriverFindings(report, findings);
    std::vector<Finding> inFiles = report.findings();
    // Modes are by the owner of the directory, which may be the wrong one itself; checkDirectory()
    // has said the other.
    std::erase_if(inFiles, [](const Finding &finding) {
        return finding.kind == Kind::owner || finding.kind == Kind::mode ||
               finding.kind == Kind::directory || finding.kind == Kind::store;
    });
    notePlainCopies(inFiles);
    append(findings, std::move(inFiles));
    const ExpectedModes expected = expectedModes(checked, expectations);
    append(findings, storeModes(path, expected));
    append(findings, parentModes(checked.target.paths));
    // These are not in the store: what was expected of that is not expected of them.
    ExpectedModes ofHost = expected;
    ofHost.owners.push_back(0);
    append(findings, fileModes(checked.target.paths.settingsFile, Kind::mode, ofHost));
    append(findings, foreignFiles(StoreDirectory(posixFileSystem(), path), report.keys.host.plan));
    append(findings, keyPlaces(report.keys.host.plan, path, ofHost));
    // Another driver does not go by these settings.
    if (!report.holder || report.holder->driver != Holder::Driver::other)
        if (auto refused = refusedFinding(*report.keys.host.policy, report.inspection))
            findings.push_back(*std::move(refused));
    removeRepeatedReasons(findings);
    causes = valueCauses(report.keys.host, report.inspection);
    checked.inspection = std::move(report.inspection);
}

/// Causes of values are counted; their files are looked up where somebody wants to know them.
std::vector<Finding> findingsOf(const std::vector<Cause> &ofValues, const CheckedStore &checked) {
    std::vector<Finding> findings;
    for (const Cause &cause : ofValues) {
        if (cause.first.kind != Kind::plain) {
            findings.push_back(cause.first);
            continue;
        }
        for (const Uuid &uuid : checked.inspection->plain)
            findings.push_back({Kind::plain,
                                checked.target.paths.configDirectory + "/" +
                                    layout::valueName(uuid, ValueFormat::plain),
                                "is in plain where encryption is on"});
    }
    return findings;
}

} // namespace

std::optional<Finding> refusedFinding(const SealingPolicy &policy, const Inspection &inspection) {
    const SealingPolicy::Rules &rules = policy.rules();
    if (rules.mustSeal && policy.keyring().current() == nullptr)
        return Finding{Kind::refused, {}, "new values are refused: " + rules.complaint};
    const bool hasSealed = !inspection.sealed.empty() || inspection.aes256cbc > 0;
    if (rules.isPlainByDefault && hasSealed)
        return Finding{Kind::refused,
                       {},
                       "new values are refused, because there are sealed ones and no key; name the "
                       "key in secret.conf, or set encrypt_data = 0, and reload"};
    return std::nullopt;
}

std::vector<Cause> valueCauses(const HostKeys &keys, const Inspection &inspection) {
    std::vector<Cause> causes;
    const SealingPolicy::Rules &rules = keys.policy->rules();
    // Refused ones are unreadable, and are found as that.
    const std::size_t plain = inspection.plain.size();
    if (rules.mustSeal && plain > 0 && !keys.settings.plainValues)
        causes.push_back({{Kind::plain,
                           {},
                           std::to_string(plain) + (plain == 1 ? " value is" : " values are") +
                               " in plain where encryption is on; keyhold seal seals them, and "
                               "plain_values = \"accept\" in secret.conf says that it is meant so"},
                          plain});
    return causes;
}

void notePlainCopies(std::vector<Finding> &findings) {
    for (Finding &finding : findings) {
        const bool countsForNothing =
            finding.kind == Kind::aside || finding.kind == Kind::unknown ||
            finding.kind == Kind::leftover || finding.kind == Kind::orphan ||
            finding.kind == Kind::shadowed;
        const std::size_t name = finding.file.rfind('/') + 1;
        if (!countsForNothing || finding.file.find(".base64", name) == std::string::npos)
            continue;
        finding.kind = Kind::plainCopy;
        finding.text = "may hold a value in plain; it " + finding.text;
        if (!finding.cause.empty())
            finding.cause = "may hold a value in plain; it " + finding.cause;
    }
}

std::vector<Finding> plainCopiesIn(const StoreDirectory &directory, const Inspection &inspection,
                                   const KeyPlan &plan) {
    std::vector<Finding> findings = inWords(inspection.findings, directory.path());
    notePlainCopies(findings);
    append(findings, foreignFiles(directory, plan));
    std::erase_if(findings, [](const Finding &each) { return each.kind != Kind::plainCopy; });
    return findings;
}

CheckedStore checkStore(const Target &target, const std::vector<std::string> &keyFiles,
                        const Expectations &expectations) {
    CheckedStore checked{target, {}, {}, {}, {}, {}};
    std::vector<Finding> findings;
    std::vector<Cause> causes;
    try {
        if (checkDirectory(checked, findings)) {
            checked.space = freeSpaceAt(target.paths.configDirectory);
            // Of a file system that takes no changes it is no matter how much is left.
            if (auto readOnly = readOnlyFinding(target.paths.configDirectory))
                findings.push_back(*std::move(readOnly));
            else if (checked.space)
                append(findings, findingsOf(*checked.space, target.paths.configDirectory));
            checkFiles(checked, findings, causes, keyFiles, expectations);
        }
    } catch (const Error &error) {
        const bool isForbidden = error.systemErrno() == EACCES || error.systemErrno() == EPERM;
        findings.push_back({Kind::unseen,
                            {},
                            error.fullText() + (isForbidden ? std::string("; ") + whoMayLook(target)
                                                            : std::string())});
    }
    if (const auto module = installedModule())
        append(findings, missingLibraries(*module));
    if (expectations.wantsFindings)
        checked.findings = findingsOf(causes, checked);
    std::ranges::move(causesOf(findings), std::back_inserter(causes));
    checked.causes = std::move(causes);
    sortBySeverity(checked.causes);
    if (expectations.wantsFindings) {
        append(*checked.findings, std::move(findings));
        sortBySeverity(*checked.findings);
    }
    return checked;
}

} // namespace keyhold::command
