// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_check.h"

#include "conf/error.h"
#include "conf/secret_xml.h"
#include "directory/layout.h"
#include "directory/stored_files.h"
#include "seal/jwe.h"

namespace keyhold::command {

namespace {

std::string keyIdIn(std::span<const std::uint8_t> text) {
    try {
        return keyIdOfJwe(text);
    } catch (const Error &) {
        return {};
    }
}

void checkDefinition(const StoreDirectory &directory, const Uuid &uuid, CheckedSecret &out) {
    const std::string name = layout::definitionName(uuid);
    const auto tell = [&](const std::string &text) {
        out.findings.push_back({Finding::Kind::definition, directory.pathOf(name), text});
    };
    try {
        const auto text = readDefinitionFile(directory, name);
        if (!text)
            return tell("is not there");
        const SecretDefinition definition =
            parseSecretFile({text->data(), text->size()}, directory.pathOf(name));
        if (definition.uuid != uuid)
            return tell("defines another secret, '" + definition.uuid.toString() +
                        "'; give the file the name of its uuid");
        out.usage = definition.usage;
    } catch (const Error &error) {
        if (error.code() == ErrorCode::noMemory)
            throw;
        tell("cannot be read: " + error.fullText());
    }
}

class ValueCheck {
  public:
    ValueCheck(const StoreDirectory &directory, const SealingPolicy &policy, const Uuid &uuid,
               CheckedSecret &out)
        : directory_(directory),
          policy_(policy),
          uuid_(uuid),
          out_(out) {}

    void check(ValueFormat form) {
        const std::string name = layout::valueName(uuid_, form);
        path_ = directory_.pathOf(name);
        std::optional<ValueFile> file;
        try {
            file = readValueFile(directory_, name, maxTextSize(form));
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory)
                throw;
            count(form, {});
            return refuse(Finding::Kind::damaged, "cannot be read: " + error.fullText());
        }
        if (!file)
            return;
        try {
            // Shielded again at once: nothing here needs the value.
            const auto decoded = policy_.decode(form, uuid_, file->bytes());
            if (!decoded)
                return;
            if (count(form, file->bytes()))
                out_.needsReencryption = decoded->needsReencryption;
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory || error.code() == ErrorCode::internal)
                throw;
            count(form, file->bytes());
            if (error.code() == ErrorCode::invalidEncryptionKey)
                return refuse(Finding::Kind::missingKey, error.fullText());
            refuse(Finding::Kind::damaged,
                   error.fullText() + "; put the file right and reload, or set the value again");
        }
    }

  private:
    /// False if a file of another form goes before this one.
    bool count(ValueFormat form, std::span<const std::uint8_t> text) {
        isCounted_ = !out_.form;
        if (!isCounted_) {
            if (policy_.unsealsAll() && !out_.isUnreadable)
                out_.needsReencryption = true;
            out_.findings.push_back(
                {Finding::Kind::shadowed, path_,
                 "does not count, because '" +
                     directory_.pathOf(layout::valueName(uuid_, *out_.form)) +
                     "' goes before it; remove the one with the wrong value and reload"});
            return false;
        }
        out_.form = form;
        if (form == ValueFormat::jwe)
            out_.keyId = keyIdIn(text);
        return true;
    }

    void refuse(Finding::Kind kind, const std::string &text) {
        out_.findings.push_back({kind, path_, text});
        if (isCounted_)
            out_.isUnreadable = true;
    }

    const StoreDirectory &directory_;
    const SealingPolicy &policy_;
    const Uuid &uuid_;
    CheckedSecret &out_;
    std::string path_;
    bool isCounted_ = false;
};

} // namespace

CheckedSecret checkSecret(const StoreDirectory &directory, const SealingPolicy &policy,
                          const Uuid &uuid) {
    CheckedSecret out;
    checkDefinition(directory, uuid, out);
    ValueCheck values(directory, policy, uuid, out);
    for (const ValueFormat form : kValueFormats)
        values.check(form);
    return out;
}

} // namespace keyhold::command
