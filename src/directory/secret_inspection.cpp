// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/secret_inspection.h"

#include "conf/error.h"
#include "directory/layout.h"
#include "directory/secret_files.h"
#include "seal/missing_key.h"
#include "store/backend.h"

#include <algorithm>

namespace keyhold {

namespace {

using Kind = StoreFinding::Kind;

std::optional<SecretDefinition> inspectDefinition(const StoreDirectory &directory, const Uuid &uuid,
                                                  std::vector<StoreFinding> &findings) {
    const std::string name = layout::definitionName(uuid);
    try {
        if (auto file = readDefinition(directory, uuid))
            return std::move(file->definition);
        findings.push_back({.kind = Kind::missingDefinition, .file = name});
    } catch (const MisnamedDefinitionError &error) {
        findings.push_back(
            {.kind = Kind::definesAnother, .file = name, .other = error.defined().toString()});
    } catch (const Error &error) {
        if (error.code() == ErrorCode::noMemory)
            throw;
        findings.push_back(
            {.kind = Kind::unreadableDefinition, .file = name, .reason = error.fullText()});
    }
    return std::nullopt;
}

/// One value file, as if there were no other.
struct ValueInspection {
    bool holdsValue = false; ///< one that can be read, or not
    std::string keyId;
    std::int64_t changed = 0;
    bool needsReencryption = false;
    std::optional<StoreFinding> problem; ///< why it cannot be read
};

ValueInspection inspectValue(const StoreDirectory &directory, const SealingPolicy &policy,
                             const Uuid &uuid, ValueFormat format) {
    ValueInspection out;
    const std::string name = layout::valueName(uuid, format);
    std::optional<ValueFile> file;
    try {
        file = readEncodedValue(directory, uuid, format);
    } catch (const Error &error) {
        if (error.code() == ErrorCode::noMemory)
            throw;
        out.holdsValue = true;
        out.problem = {.kind = Kind::unreadableFile, .file = name, .reason = error.fullText()};
    }
    if (!file)
        return out;
    out.changed = file->status.changed;
    out.keyId = keyIdIn(format, file->bytes());
    try {
        // Shielded again at once: nothing here needs the value.
        const auto decoded = policy.decode(format, uuid, file->bytes());
        out.holdsValue = decoded.has_value();
        out.needsReencryption = decoded && decoded->needsReencryption;
    } catch (const ValueError &error) {
        out.holdsValue = true;
        out.problem = findingOf(name, error);
    }
    return out;
}

} // namespace

StoreFinding findingOf(std::string file, const ValueError &error) {
    StoreFinding finding{.kind = Kind::damagedValue,
                         .file = std::move(file),
                         .reason = error.fullText(),
                         .cause = error.cause()};
    if (const auto *missing = dynamic_cast<const MissingKeyError *>(&error)) {
        finding.kind = Kind::missingKey;
        finding.keyId = missing->keyId();
    } else if (dynamic_cast<const RefusedPlainError *>(&error)) {
        finding.kind = Kind::refusedPlain;
    }
    return finding;
}

SecretInspection inspectSecret(const StoreDirectory &directory, const SealingPolicy &policy,
                               const Uuid &uuid) {
    SecretInspection out;
    out.definition = inspectDefinition(directory, uuid, out.findings);
    ValueInspection value;
    const auto look = [&](ValueFormat format) {
        value = inspectValue(directory, policy, uuid, format);
        return value.holdsValue;
    };
    const auto noteProblem = [&] {
        if (value.problem)
            out.findings.push_back(*std::move(value.problem));
    };
    const auto isThereBehind = [&](ValueFormat format) {
        return (formatsBehind(*out.format) & only(format)) != 0 &&
               directory.contains(layout::valueName(uuid, format));
    };
    out.format = countingFormat(kAllForms, look);
    if (!out.format)
        return out;
    out.keyId = std::move(value.keyId);
    out.changed = value.changed;
    out.isUnreadable = value.problem.has_value();
    out.needsReencryption =
        value.needsReencryption || (!out.isUnreadable && policy.unsealsAll() &&
                                    std::ranges::any_of(kValueFormats, isThereBehind));
    noteProblem();
    for (const ValueFormat format : kValueFormats) {
        if ((formatsBehind(*out.format) & only(format)) == 0 || !look(format))
            continue;
        out.findings.push_back({.kind = Kind::shadowedValue,
                                .file = layout::valueName(uuid, format),
                                .other = layout::valueName(uuid, *out.format)});
        noteProblem();
    }
    return out;
}

} // namespace keyhold
