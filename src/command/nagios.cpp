// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check.h"

#include "abi/log_text.h"

#include <algorithm>
#include <cctype>

namespace keyhold::command {

namespace {

/// What follows a bar would be performance data.
std::string plainLine(const std::string &text) {
    std::string line = abi::oneLine(text);
    std::ranges::replace(line, '|', '/');
    return line;
}

std::string upper(std::string text) {
    for (char &each : text)
        each = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
    return text;
}

/// Labels of several stores are told apart by a number.
std::string performanceOf(const CheckedStore &store, const std::string &suffix) {
    std::string text;
    const auto add = [&](const char *label, std::uint64_t value, const char *unit = "") {
        text += " " + std::string(label) + suffix + "=" + std::to_string(value) + unit;
    };
    if (store.inspection) {
        add("secrets", store.inspection->secrets);
        add("unreadable", store.inspection->unreadable);
        add("plain", store.inspection->plain.size());
    }
    if (store.space)
        add("free", store.space->bytes, "B");
    return text;
}

const CheckedStore &worstStore(const std::vector<CheckedStore> &stores) {
    const Severity severity = severityOf(stores);
    return *std::ranges::find_if(
        stores, [&](const CheckedStore &store) { return store.severity() == severity; });
}

std::string summaryOf(const std::vector<CheckedStore> &stores) {
    std::size_t causes = 0;
    for (const CheckedStore &store : stores)
        causes += store.causes.size();
    const CheckedStore &first = worstStore(stores);
    if (causes == 0)
        return "nothing is wrong with " + first.target.paths.configDirectory;
    std::string text = textOf(first.causes.front());
    if (causes > 1)
        text += " (and " + std::to_string(causes - 1) + " more)";
    return text;
}

} // namespace

std::string nagiosText(const std::vector<CheckedStore> &stores) {
    std::string text =
        "KEYHOLD " + upper(severityName(severityOf(stores))) + " - " + plainLine(summaryOf(stores));
    std::string performance;
    for (std::size_t i = 0; i < stores.size(); ++i)
        performance += performanceOf(stores[i], i == 0 ? "" : "_" + std::to_string(i + 1));
    if (!performance.empty())
        text += " |" + performance;
    text += "\n";
    for (const CheckedStore &store : stores)
        for (const Cause &cause : store.causes)
            text += std::string(severityName(severityOf(cause.first.kind))) + ": " +
                    plainLine(textOf(cause)) + "\n";
    return text;
}

} // namespace keyhold::command
