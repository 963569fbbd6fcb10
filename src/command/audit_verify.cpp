// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit.h"
#include "command/audit_check.h"
#include "command/audit_points.h"
#include "conf/error.h"
#include "host/audit_options.h"
#include "host/settings_file.h"

#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

using Result = TrailCheck::Result;

void checkFile(TrailCheck &check, const TrailPart &part, bool isPresent) {
    check.beginFile(part.path);
    try {
        TrailFileReader reader = openPart(part);
        while (const auto line = reader.next()) {
            if (line->hasEnd || !isPresent || !isBeingWritten(reader))
                check.add(*line);
        }
    } catch (const Error &error) {
        if (error.code() != ErrorCode::valueUnreadable)
            throw;
        check.addDamage(error.fullText());
    }
}

std::string wordsOf(TrailVerdict verdict) {
    switch (verdict) {
    case TrailVerdict::intact:
        return "intact";
    case TrailVerdict::sealed:
        return "unbroken and sealed, its end not proven";
    case TrailVerdict::unbroken:
        return "unbroken, not proven";
    case TrailVerdict::broken:
        break;
    }
    return "broken";
}

std::string breakText(const TrailBreak &found) {
    std::string text = "broken";
    if (found.record != 0)
        text += " at record " + std::to_string(found.record) + " of " + found.file + " (line " +
                std::to_string(found.line) + ")";
    else if (found.line != 0)
        text += " at line " + std::to_string(found.line) + " of " + found.file;
    else
        text += " at the end of " + found.file;
    return text + ": it " + found.text;
}

Json jsonOf(const TrailBreak &found) {
    return {{"kind", nameOf(found.kind)},
            {"file", found.file},
            {"line", found.line != 0 ? Json(found.line) : Json()},
            {"record", found.record != 0 ? Json(found.record) : Json()},
            {"text", found.text}};
}

std::string recordsText(std::uint64_t first, std::uint64_t last) {
    return "records " + std::to_string(first) + " to " + std::to_string(last);
}

std::string endText(std::uint64_t last) {
    return "it cannot be seen whether records after " + std::to_string(last) + " were cut off";
}

/// What the verdict rests on, and what it does not say.
void printProofs(const Result &result, TrailVerdict verdict, const audit::Head *head) {
    const std::uint64_t last = result.last.sequence;
    if (result.first > 1)
        print("records before " + std::to_string(result.first) + " are not here");
    if (result.sealedFrom == 0)
        print("no record is sealed");
    else if (result.sealedFrom > result.first)
        print("records are sealed from " + std::to_string(result.sealedFrom) + " on");
    if (verdict == TrailVerdict::broken)
        return;
    if (result.provenFrom != 0)
        print(recordsText(result.provenFrom, result.provenTo) +
              " have the right seals; whoever got hold of the key file at some time can have made "
              "the records after that time");
    if (result.provenFrom > result.first)
        print(recordsText(result.first, result.provenFrom - 1) + " are as they were when record " +
              std::to_string(result.provenFrom) + " was sealed");
    if (head != nullptr && result.hasHead) {
        print(recordsText(result.first, head->sequence) + " are those that the head was taken of");
        if (head->sequence < last)
            print(endText(last));
    } else if (result.provenFrom != 0) {
        print(endText(last) + "; a head kept on another host, given with --head, shows that");
    } else {
        print(std::string("whoever can write the file can have replaced all of it; ") +
              (result.sealedFrom != 0 ? "a key, given with --key-file, proves that nobody did"
                                      : "keyhold audit init makes a key that seals records"));
    }
}

void printText(const TrailCheck &check, const std::string &file, std::size_t files,
               const audit::Head *head) {
    const Result &result = check.result();
    for (const TrailBreak &each : result.breaks)
        print(breakText(each));
    if (const std::uint64_t more = result.breakCount - result.breaks.size(); more > 0)
        print("broken at " + std::to_string(more) + (more == 1 ? " more place" : " more places"));
    if (result.lost > 0)
        print(std::to_string(result.lost) + (result.lost == 1 ? " record is" : " records are") +
              " missing, as the trail says");
    if (result.records > 0) {
        printProofs(result, check.verdict(), head);
        print("head " + textOf(result.last));
    }
    print(file + ": " + wordsOf(check.verdict()) + "; " + std::to_string(result.records) +
          (result.records == 1 ? " record" : " records") +
          (files == 1 ? "" : " in " + std::to_string(files) + " files"));
}

void printReport(const TrailCheck &check, const std::string &file,
                 const std::vector<TrailPart> &parts) {
    const Result &result = check.result();
    const auto sequence = [](std::uint64_t number) { return number != 0 ? Json(number) : Json(); };
    Json breaks = Json::array();
    for (const TrailBreak &each : result.breaks)
        breaks.push_back(jsonOf(each));
    Json files = Json::array();
    for (const TrailPart &part : parts)
        files.push_back({{"file", part.path}, {"first", sequence(part.first)}});
    printJson({{"schema", 1},
               {"file", file},
               {"verdict", nameOf(check.verdict())},
               {"records", result.records},
               {"first", sequence(result.first)},
               {"last", sequence(result.last.sequence)},
               {"head", result.records > 0 ? Json(textOf(result.last)) : Json()},
               {"sealedFrom", sequence(result.sealedFrom)},
               {"provenFrom", sequence(result.provenFrom)},
               {"hasGivenHead", result.hasHead},
               {"lost", result.lost},
               {"breakCount", result.breakCount},
               {"breaks", breaks},
               {"files", files}});
}

} // namespace

std::string trailOf(const AuditTarget &choice) {
    if (!choice.file.empty())
        return std::filesystem::absolute(choice.file).lexically_normal().string();
    const Target target = chooseSettings(choice.target);
    return auditFileOf(readSettingsFile(target.paths.settingsFile).settings, target.paths);
}

Exit auditVerify(const AuditVerifyOptions &options) {
    const std::string file = trailOf(options.trail);
    std::optional<audit::Head> head;
    if (!options.head.empty())
        head = parseHead(options.head);
    TrailCheck check(readTrailKeys(options.keys, options.keyFile), head);
    const std::vector<TrailPart> parts = findTrail(file);
    for (const TrailPart &part : parts)
        checkFile(check, part, part.path == file);
    check.finish();
    if (options.json)
        printReport(check, file, parts);
    else
        printText(check, file, parts.size(), head ? &*head : nullptr);
    const bool isClean = check.verdict() != TrailVerdict::broken && check.result().lost == 0;
    return isClean ? Exit::clean : Exit::findings;
}

} // namespace keyhold::command
