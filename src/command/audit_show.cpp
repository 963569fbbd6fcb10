// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit.h"
#include "command/audit_file.h"
#include "command/audit_record.h"
#include "command/audit_time.h"
#include "command/host_users.h"
#include "command/json_stream.h"
#include "command/table.h"
#include "conf/error.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>
#include <pwd.h>

namespace keyhold::command {

namespace {

/// What cannot be read of a trail.
struct Unreadable {
    std::string file;
    std::uint64_t line = 0; ///< 0 if it is from some line on
    std::string text;       ///< begins with a verb
};

class TrailReading {
  public:
    static constexpr std::size_t kMaxKept = 100;
    std::vector<Unreadable> unreadable; ///< the first ones
    std::uint64_t unreadableCount = 0;

    /// Gives all records to `visit`, the oldest first. Raises nothing for what cannot be read.
    void read(const std::vector<TrailPart> &parts, const std::function<void(Json &&)> &visit) {
        for (const TrailPart &part : parts) {
            try {
                TrailFileReader reader = openPart(part);
                while (const auto line = reader.next())
                    readLine(part, reader, *line, visit);
            } catch (const Error &error) {
                add({part.path, 0, error.fullText()});
            }
        }
    }

  private:
    void readLine(const TrailPart &part, const TrailFileReader &reader, const TrailLine &line,
                  const std::function<void(Json &&)> &visit) {
        if (auto record = line.hasEnd ? parseRecord(line.text) : std::nullopt)
            visit(std::move(*record));
        else if (line.hasEnd)
            add({part.path, line.number, "is no record of an audit trail"});
        else if (!isBeingWritten(reader))
            add({part.path, line.number, "has no newline at its end"});
    }

    void add(Unreadable found) {
        ++unreadableCount;
        if (unreadable.size() < kMaxKept)
            unreadable.push_back(std::move(found));
    }
};

/// Prints records as they come: a table at a time, since there may be more than fit in memory.
class RecordTable {
  public:
    void add(const Json &record) {
        constexpr std::size_t kMaxRows = 4096;
        if (rows_.empty())
            rows_.push_back(recordHeadings());
        rows_.push_back(rowOf(record));
        if (rows_.size() == kMaxRows)
            flush();
    }
    void flush() {
        hasAny_ = hasAny_ || !rows_.empty();
        printTable(std::move(rows_));
        rows_.clear();
    }
    [[nodiscard]] bool hasAny() const { return hasAny_; }

  private:
    std::vector<std::vector<std::string>> rows_;
    bool hasAny_ = false;
};

/// What uses a secret now.
struct Users {
    std::vector<SecretUser> users;
    std::string unknown; ///< why they are not all, or empty
};

Users usersOf(const AuditWhoOptions &options, const SecretName &name) {
    Users found;
    try {
        for (const std::string &uri : connectionsFor(options.trail.target, options.connections)) {
            for (UsedSecret &used : usedSecrets(lookAtHost(uri), name))
                std::ranges::move(used.users, std::back_inserter(found.users));
        }
    } catch (const Error &error) {
        found.unknown = error.fullText();
    }
    return found;
}

Exit tellText(const std::vector<TrailPart> &parts, const RecordFilter &filter, const Users *users) {
    TrailReading reading;
    RecordTable table;
    reading.read(parts, [&](Json &&record) {
        if (isWanted(record, filter))
            table.add(record);
    });
    table.flush();
    if (!table.hasAny())
        print("there is no such record");
    if (users != nullptr) {
        for (const SecretUser &user : users->users)
            print("used by " + textOf(user));
        if (!users->unknown.empty())
            print("used by: unknown: " + users->unknown);
        else if (users->users.empty())
            print("used by nothing on this host");
    }
    for (const Unreadable &each : reading.unreadable)
        tell(each.line == 0 ? each.text
                            : each.file + ":" + std::to_string(each.line) + " " + each.text);
    if (const std::uint64_t more = reading.unreadableCount - reading.unreadable.size(); more > 0)
        tell(std::to_string(more) + " more lines are no records");
    return reading.unreadableCount > 0 ? Exit::findings : Exit::clean;
}

Exit tellJson(const std::string &file, const std::vector<TrailPart> &parts,
              const RecordFilter &filter, const Users *users) {
    TrailReading reading;
    JsonStream json;
    json.openObject();
    json.put("schema", 1);
    json.put("file", file);
    json.openArray("records");
    reading.read(parts, [&](Json &&record) {
        if (isWanted(record, filter))
            json.put(nullptr, record);
    });
    json.close();
    if (users != nullptr) {
        Json array = Json::array();
        for (const SecretUser &user : users->users)
            array.push_back(jsonOf(user));
        json.put("usedBy", users->unknown.empty() ? array : Json());
        json.put("usedByUnknown", users->unknown);
    }
    json.put("unreadableCount", reading.unreadableCount);
    json.openArray("unreadable");
    for (const Unreadable &each : reading.unreadable)
        json.put(nullptr, {{"file", each.file},
                           {"line", each.line != 0 ? Json(each.line) : Json()},
                           {"text", each.text}});
    json.close();
    json.close();
    return reading.unreadableCount > 0 ? Exit::findings : Exit::clean;
}

Exit tellRecords(const AuditTarget &trail, const RecordFilter &filter, bool json,
                 const Users *users = nullptr) {
    const std::string file = trailOf(trail);
    const std::vector<TrailPart> parts = findTrail(file);
    return json ? tellJson(file, parts, filter, users) : tellText(parts, filter, users);
}

RecordFilter filterOf(const AuditPeriod &period) {
    RecordFilter filter;
    if (!period.since.empty())
        filter.since = parseTrailTime(period.since);
    if (!period.until.empty())
        filter.until = parseTrailTime(period.until);
    return filter;
}

/// The number of a user by its name; the text itself if it is a number.
std::string idOf(const std::string &user) {
    if (user.find_first_not_of("0123456789") == std::string::npos)
        return user;
    const passwd *const entry =
        ::getpwnam(user.c_str()); // NOLINT(concurrency-mt-unsafe): there is one thread
    return entry != nullptr ? std::to_string(entry->pw_uid) : std::string();
}

} // namespace

Exit auditShow(const AuditShowOptions &options) {
    requireAction(options.action);
    requireOutcome(options.outcome);
    RecordFilter filter = filterOf(options.period);
    filter.action = options.action;
    filter.outcome = options.outcome;
    return tellRecords(options.trail, filter, options.json);
}

Exit auditWho(const AuditWhoOptions &options) {
    RecordFilter filter = filterOf(options.period);
    filter.secret = parseSecretName(options.secret);
    const Users users = usersOf(options, *filter.secret);
    return tellRecords(options.trail, filter, options.json, &users);
}

Exit auditBy(const AuditByOptions &options) {
    if (options.user.empty())
        throw Error(ErrorCode::invalidArgument, "name a user");
    RecordFilter filter = filterOf(options.period);
    filter.user = options.user;
    filter.userId = idOf(options.user);
    return tellRecords(options.trail, filter, options.json);
}

} // namespace keyhold::command
