// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/told_state.h"

#include "conf/error.h"
#include "os/file_system.h"
#include "os/proc_file.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <algorithm>
#include <cstddef>
#include <sstream>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 20;

FileStatus statusIn(const Json &json) {
    FileStatus status;
    status.device = json.at("device").get<dev_t>();
    status.inode = json.at("inode").get<ino_t>();
    return status;
}

DriverReport::NewValues newValuesIn(const std::string &word) {
    using NewValues = DriverReport::NewValues;
    if (word == "plain")
        return NewValues::plain;
    return word == "sealed" ? NewValues::sealed : NewValues::refused;
}

DriverReport::Counts countsIn(const Json &json) {
    DriverReport::Counts counts;
    counts.secrets = json.at("secrets").get<std::size_t>();
    counts.ephemeral = json.at("ephemeral").get<std::size_t>();
    counts.withoutValue = json.at("withoutValue").get<std::size_t>();
    counts.unreadable = json.at("unreadable").get<std::size_t>();
    // A driver of before these were added has none.
    counts.plain = json.value("plain", std::size_t{0});
    counts.aes256cbc = json.value("aes256cbc", std::size_t{0});
    counts.sealed = json.value("sealed", std::size_t{0});
    counts.unreadableByKey = json.value("unreadableByKey", counts.unreadableByKey);
    if (json.contains("storedWithoutValue") && !json["storedWithoutValue"].is_null())
        counts.storedWithoutValue = json["storedWithoutValue"].get<std::vector<std::string>>();
    return counts;
}

DriverReport reportIn(const Json &json) {
    DriverReport report;
    report.libvirtRelease = json.at("libvirt").get<unsigned long>();
    const Json &settings = json.at("settings");
    report.settings.path = settings.at("file").get<std::string>();
    report.settingsRead = settings.at("read").get<std::int64_t>();
    if (const Json &file = settings.at("status"); !file.is_null()) {
        FileStatus status = statusIn(file);
        status.size = file.at("size").get<off_t>();
        status.changed = file.at("changed").get<std::int64_t>();
        report.settings.file = status;
    }
    report.newValues = newValuesIn(json.at("newValues").get<std::string>());
    report.whyRefused = json.at("whyRefused").get<std::string>();
    report.keys = json.at("keys").get<std::vector<std::string>>();
    report.hasCurrentKey = !json.at("currentKey").is_null();
    report.missingKeys = json.at("missingKeys").get<std::string>();
    report.keyMemory = json.at("keyMemory").get<std::string>();
    report.directory = json.at("directory").at("path").get<std::string>();
    report.directoryStatus = statusIn(json.at("directory"));
    report.failure = json.at("failure").get<std::string>();
    if (const Json &told = json.at("counts"); !told.is_null())
        report.counts = countsIn(told);
    const Json &reencryption = json.at("reencryption");
    report.toReencrypt = reencryption.at("left").get<std::size_t>();
    report.isReencrypting = reencryption.at("running").get<bool>();
    if (reencryption.contains("last") && !reencryption["last"].is_null()) {
        const Json &last = reencryption["last"];
        report.lastReencryption = {last.at("ended").get<std::int64_t>(),
                                   last.at("reencrypted").get<std::size_t>(),
                                   last.at("failed").get<std::size_t>()};
    }
    return report;
}

/// Why the file of `told` is not of this process; empty if it is.
std::string disbelief(const ToldState &told, const Holder &holder) {
    const std::string proc = "/proc/" + std::to_string(holder.pid);
    const ProcessIdentity identity =
        identityIn(textOfProc(proc + "/status"), textOfProc(proc + "/stat"));
    if (identity.innermost == 0)
        return "that process cannot be looked at";
    // 0: its own /proc could not be read
    if (identity.innermost == told.pid &&
        (told.processStarted == 0 || told.processStarted == identity.started))
        return {};
    return "the state file beside the lock is of an earlier process, " + std::to_string(told.pid) +
           ", and is ignored";
}

Finding otherDriverFinding(const Holder &holder, std::size_t sealed) {
    const std::string text = holder.text() + " holds the store with another driver than Keyhold, ";
    if (sealed == 0)
        return {Finding::Kind::driver, {}, text + "and stores new values by its own rules"};
    return {Finding::Kind::otherDriver,
            {},
            text + "which cannot read sealed values (" + std::to_string(sealed) +
                " here) and stores new ones beside them in plain; stop it; then start it with "
                "Keyhold, or run 'keyhold encrypt off' first"};
}

} // namespace

ToldState toldStateOf(const std::string &text) {
    try {
        const Json json = Json::parse(text);
        const int schema = json.at("schema").get<int>();
        if (schema != DriverReport::kSchema)
            throw Error(ErrorCode::internal, "has version " + std::to_string(schema) +
                                                 ", which this keyhold does not know");
        return {json.at("pid").get<pid_t>(), json.at("processStarted").get<std::uint64_t>(),
                json.at("written").get<std::int64_t>(), reportIn(json)};
    } catch (const Json::exception &exception) {
        throw Error(ErrorCode::internal, std::string("cannot be understood: ") + exception.what());
    }
}

bool hasReadSettings(const ToldState &told) {
    const DriverReport::Settings &read = told.report.settings;
    FileStatus now;
    if (posixFileSystem().statusOf(read.path, now) < 0)
        return !read.file;
    return read.file && now.isUnchangedSince(*read.file);
}

ProcessIdentity identityIn(const std::string &status, const std::string &stat) {
    ProcessIdentity identity;
    std::istringstream lines(status);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("NSpid:"))
            identity.innermost = std::stoi("0" + line.substr(line.find_last_of(" \t:") + 1));
    }
    identity.started = startedIn(stat);
    return identity;
}

DriverView viewDriver(const Target &target, const std::optional<Holder> &holder) {
    if (!holder)
        return {};
    const auto unknown = [](std::string why) { return DriverView{std::nullopt, std::move(why)}; };
    if (holder->pid == 0)
        return unknown("its process is in another pid namespace");
    if (holder->driver == Holder::Driver::other)
        return unknown("another driver than Keyhold reports nothing");
    if (!holder->hasPidFile)
        return unknown("it has another run-time directory than " +
                       inQuotes(target.paths.stateDirectory));
    const std::string path = target.paths.stateDirectory + "/" + DriverReport::kFileName;
    try {
        const auto text = readTextFile(
            StoreDirectory::toReachFiles(posixFileSystem(), target.paths.stateDirectory),
            DriverReport::kFileName, kMaxSize);
        if (!text)
            return unknown("there is no " + inQuotes(path) +
                           ": it is no Keyhold that reports what it does, or could not write it");
        ToldState told = toldStateOf(*text);
        std::string why = disbelief(told, *holder);
        if (why.empty())
            return {std::move(told), {}};
        return unknown(std::move(why));
    } catch (const Error &error) {
        return unknown(inQuotes(path) + " " + error.fullText());
    }
}

std::vector<Finding> driverFindings(const Target &target, const std::optional<Holder> &holder,
                                    const DriverView &view, const StoreKeys &keys,
                                    const Inspection &inspection, bool mayReload) {
    std::vector<Finding> found;
    const auto say = [&](std::string file, std::string text) {
        found.push_back({Finding::Kind::driver, std::move(file), std::move(text)});
    };
    if (!holder)
        return found;
    if (holder->driver == Holder::Driver::other)
        found.push_back(otherDriverFinding(*holder, sealedIn(inspection)));
    if (holder->isModuleReplaced)
        say({},
            "the module of " + holder->text() + " was replaced since it was loaded; restart it");
    if (!view.told)
        return found;
    const DriverReport &report = view.told->report;
    if (mayReload && !hasReadSettings(*view.told))
        say(report.settings.path, "was changed since " + holder->text() + " read it; reload it");
    const Key *current = keys.host.policy->keyring().current();
    if (!report.missingKeys.empty())
        found.push_back(
            {Finding::Kind::missingKey, {}, holder->text() + " lacks keys: " + report.missingKeys});
    else if (mayReload && current &&
             std::ranges::find(report.keys, current->id()) == report.keys.end())
        say(target.paths.settingsFile, "names key " + current->id() + ", which " + holder->text() +
                                           " does not have; reload it");
    if (report.newValues == DriverReport::NewValues::refused && report.failure.empty())
        found.push_back({Finding::Kind::refused,
                         {},
                         holder->text() + " refuses new values: " + report.whyRefused});
    if (!report.failure.empty())
        say({}, holder->text() + " cannot serve its store in full: " + report.failure);
    return found;
}

} // namespace keyhold::command
