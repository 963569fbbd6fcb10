// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check.h"

#include "conf/error.h"

#include <charconv>
#include <sstream>

#include <pwd.h>

namespace keyhold::command {

namespace {

uid_t userNamed(const std::string &name) {
    uid_t number = 0;
    const char *const end = name.data() + name.size();
    if (const auto parsed = std::from_chars(name.data(), end, number);
        parsed.ec == std::errc() && parsed.ptr == end)
        return number;
    const passwd *const user =
        ::getpwnam(name.c_str()); // NOLINT(concurrency-mt-unsafe): there is one thread
    if (!user)
        throw Error(ErrorCode::invalidArgument, "there is no user " + inQuotes(name));
    return user->pw_uid;
}

mode_t modeOf(const std::string &text) {
    constexpr int kOctal = 8;
    constexpr unsigned kPermissions = 07777;
    unsigned mode = 0;
    const char *const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, mode, kOctal);
    if (parsed.ec != std::errc() || parsed.ptr != end || mode > kPermissions)
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(text) + " is no mode; give one as chmod takes it, such as 0700");
    return mode;
}

void printLines(const std::string &text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        print(line);
}

void tellChecked(const std::vector<CheckedStore> &stores, CheckForm form) {
    switch (form) {
    case CheckForm::json:
        return printCheckedJson(stores);
    case CheckForm::nagios:
        return printLines(nagiosText(stores));
    case CheckForm::prometheus:
        return printLines(prometheusText(stores));
    case CheckForm::text:
        break;
    }
    for (const CheckedStore &store : stores)
        printChecked(store);
}

} // namespace

Expectations expectationsOf(const CheckOptions &options) {
    Expectations expectations;
    expectations.wantsFindings = options.isVerbose;
    if (!options.owner.empty())
        expectations.owner = userNamed(options.owner);
    if (!options.mode.empty())
        expectations.mode = modeOf(options.mode);
    return expectations;
}

Severity severityOf(const std::vector<CheckedStore> &stores) noexcept {
    Severity severity = Severity::good;
    for (const CheckedStore &store : stores)
        severity = worst(severity, store.severity());
    return severity;
}

Exit check(const CheckOptions &options) {
    const Expectations expectations = expectationsOf(options);
    std::vector<CheckedStore> stores;
    for (const Target &target : chooseWatched(options.target))
        stores.push_back(checkStore(target, options.keyFiles, expectations));
    tellChecked(stores, options.form);
    return static_cast<Exit>(severityOf(stores));
}

} // namespace keyhold::command
