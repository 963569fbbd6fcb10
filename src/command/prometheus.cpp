// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check.h"

#include <functional>
#include <map>
#include <optional>

namespace keyhold::command {

namespace {

std::string labelValue(const std::string &text) {
    std::string out;
    for (const char each : text) {
        if (each == '\\' || each == '"')
            out += '\\';
        if (each == '\n')
            out += "\\n";
        else
            out += each;
    }
    return out;
}

std::string labelsOf(const CheckedStore &store) {
    return "instance_kind=\"" + std::string(store.target.name()) + "\",directory=\"" +
           labelValue(store.target.paths.configDirectory) + "\"";
}

using Number = std::optional<std::uint64_t>;
/// A value for each store that has one.
struct Metric {
    const char *name;
    const char *help;
    const char *moreLabels;
    std::function<Number(const CheckedStore &)> value;
};

template <typename Member>
std::function<Number(const CheckedStore &)> inspected(Member member) {
    return [member](const CheckedStore &store) {
        return store.inspection ? Number((*store.inspection).*member) : Number();
    };
}

std::string headOf(const char *name, const char *help) {
    return std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " gauge\n";
}

std::vector<Metric> metrics() {
    constexpr const char *kValues = "Values by the form in which they rest.";
    return {
        {"keyhold_check_status",
         "What keyhold check exits with: 0 ok, 1 warning, 2 critical, 3 unknown.", "",
         [](const CheckedStore &store) { return Number(static_cast<int>(store.severity())); }},
        {"keyhold_secrets", "Definitions of secrets in the store.", "",
         inspected(&Inspection::secrets)},
        {"keyhold_secrets_without_value", "Secrets that have no value.", "",
         [](const CheckedStore &store) {
             return store.inspection ? Number(store.inspection->withoutValue.size()) : Number();
         }},
        {"keyhold_secrets_unreadable", "Secrets whose value cannot be read.", "",
         inspected(&Inspection::unreadable)},
        {"keyhold_values", kValues, ",form=\"plain\"",
         [](const CheckedStore &store) {
             return store.inspection ? Number(store.inspection->plain.size()) : Number();
         }},
        {"keyhold_values", kValues, ",form=\"aes256cbc\"", inspected(&Inspection::aes256cbc)},
        {"keyhold_values", kValues, ",form=\"sealed\"",
         [](const CheckedStore &store) {
             return store.inspection ? Number(sealedIn(*store.inspection)) : Number();
         }},
        {"keyhold_store_free_bytes", "Bytes left on the file system of the store.", "",
         [](const CheckedStore &store) {
             return store.space ? Number(store.space->bytes) : Number();
         }},
        {"keyhold_store_free_inodes", "Inodes left on the file system of the store.", "",
         [](const CheckedStore &store) {
             return store.space && store.space->allInodes > 0 ? Number(store.space->inodes)
                                                              : Number();
         }},
    };
}

std::string findingsOfAll(const std::vector<CheckedStore> &stores) {
    std::string text;
    for (const CheckedStore &store : stores) {
        std::map<Finding::Kind, std::size_t> byKind;
        for (const Cause &cause : store.causes)
            byKind[cause.first.kind] += cause.count;
        for (const auto &[kind, count] : byKind)
            text += "keyhold_findings{" + labelsOf(store) + ",kind=\"" + findingKindName(kind) +
                    "\",severity=\"" + severityName(severityOf(kind)) + "\"} " +
                    std::to_string(count) + "\n";
    }
    return text.empty() ? text : headOf("keyhold_findings", "What is wrong, by kind.") + text;
}

} // namespace

std::string prometheusText(const std::vector<CheckedStore> &stores) {
    std::string text;
    std::string last;
    for (const Metric &metric : metrics()) {
        std::string lines;
        for (const CheckedStore &store : stores) {
            if (const Number value = metric.value(store))
                lines += std::string(metric.name) + "{" + labelsOf(store) + metric.moreLabels +
                         "} " + std::to_string(*value) + "\n";
        }
        if (lines.empty())
            continue;
        if (last != metric.name)
            text += headOf(metric.name, metric.help);
        last = metric.name;
        text += lines;
    }
    return text + findingsOfAll(stores);
}

} // namespace keyhold::command
