// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_copy.h"

#include "conf/error.h"
#include "directory/layout.h"
#include "directory/secret_files.h"
#include "directory/secret_inspection.h"
#include "os/descriptor.h"

#include <algorithm>

#include <fcntl.h>

namespace keyhold::command {

namespace {

using Kind = StoreFinding::Kind;

/// The file that has a name at one moment. As long as it is open, no other file gets its inode, so
/// that one which is the same afterwards was there all the time.
class Pin {
  public:
    Pin(const StoreDirectory &directory, std::string name)
        : directory_(directory),
          name_(std::move(name)),
          file_(directory.fileSystem(),
                directory.fileSystem().open(directory.number(), name_.c_str(), O_PATH, 0)) {
        isThere_ =
            file_.number() >= 0 && directory.fileSystem().status(file_.number(), status_) == 0;
    }

    [[nodiscard]] bool isThere() const noexcept { return isThere_; }
    [[nodiscard]] bool isUnchanged() const {
        FileStatus now;
        const bool isThereNow =
            directory_.fileSystem().statusAt(directory_.number(), name_.c_str(), now) == 0;
        return isThereNow == isThere_ && (!isThere_ || now.isUnchangedSince(status_));
    }

  private:
    const StoreDirectory &directory_;
    std::string name_;
    Descriptor file_;
    FileStatus status_;
    bool isThere_ = false;
};

/// One reading of a secret.
class Reading {
  public:
    Reading(const StoreDirectory &directory, const SealingPolicy &policy, const Uuid &uuid)
        : directory_(directory),
          policy_(policy),
          uuid_(uuid),
          definition_(directory, layout::definitionName(uuid)) {
        values_.reserve(kValueFormats.size());
        for (const ValueFormat format : kValueFormats)
            values_.emplace_back(directory, layout::valueName(uuid, format));
        isThere_ = definition_.isThere() || directory.contains(layout::definitionName(uuid));
        if (!isThere_)
            return;
        readDefinitionText();
        readValue();
        hasPending_ = !copy_.format && hasPendingValue();
    }

    [[nodiscard]] bool isThere() const noexcept { return isThere_; }
    /// A value is in the place of the definition's, or about to be.
    [[nodiscard]] bool hasPending() const noexcept { return hasPending_; }
    /// What was read was there at one moment.
    [[nodiscard]] bool isOfOneMoment() const {
        return definition_.isUnchanged() && std::ranges::all_of(values_, &Pin::isUnchanged);
    }
    [[nodiscard]] SecretCopy take() { return std::move(copy_); }

  private:
    void readDefinitionText() {
        const std::string name = layout::definitionName(uuid_);
        try {
            auto text = readDefinitionFile(directory_, name);
            auto file = readDefinition(directory_, uuid_);
            if (!text || !file)
                return;
            copy_.definitionText = *std::move(text);
            copy_.definition = std::move(file->definition);
        } catch (const MisnamedDefinitionError &error) {
            note({.kind = Kind::definesAnother, .file = name, .other = error.defined().toString()});
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory)
                throw;
            note({.kind = Kind::unreadableDefinition, .file = name, .reason = error.fullText()});
        }
    }

    void readValue() {
        const auto counting =
            countingFormat(kAllForms, [&](ValueFormat format) { return readValue(format); });
        for (const ValueFormat format : kValueFormats) {
            const std::string name = layout::valueName(uuid_, format);
            if (!directory_.contains(name))
                continue;
            if (!copy_.definition)
                note({.kind = Kind::orphanedValue, .file = name});
            else if (counting && format > *counting)
                note({.kind = Kind::shadowedValue,
                      .file = name,
                      .other = layout::valueName(uuid_, *counting)});
        }
    }

    /// True if its file is there and holds a value, be it a damaged one.
    bool readValue(ValueFormat format) {
        const std::string name = layout::valueName(uuid_, format);
        const auto leaveOut = [&](StoreFinding finding, const Error &error) {
            if (error.code() == ErrorCode::noMemory)
                throw Error(error);
            copy_.file.reset();
            copy_.value = Value::unreadable(error);
            if (copy_.definition)
                note(std::move(finding));
            return true;
        };
        copy_.file.reset(); // of large files a process has one at a time
        try {
            copy_.file = readEncodedValue(directory_, uuid_, format);
        } catch (const Error &error) {
            return leaveOut(
                {.kind = Kind::unreadableFile, .file = name, .reason = error.fullText()}, error);
        }
        if (!copy_.file)
            return false;
        try {
            copy_.keyId = keyIdIn(format, copy_.file->bytes());
            auto decoded = policy_.decode(format, uuid_, copy_.file->bytes());
            if (!decoded) {
                copy_.file.reset();
                return false;
            }
            copy_.value = Value::of(std::move(decoded->value));
        } catch (const ValueError &error) {
            if (error.code() != ErrorCode::invalidEncryptionKey)
                return leaveOut(findingOf(name, error), error);
            copy_.value = Value::unreadable(error);
        }
        copy_.format = format;
        return true;
    }

    /// Between the steps of a change that defines, or removes, a secret with its value.
    [[nodiscard]] bool hasPendingValue() const {
        const std::string hash = layout::hashOfDefinition(copy_.definitionText);
        return std::ranges::any_of(kValueFormats, [&](ValueFormat format) {
            return directory_.contains(layout::valueName(uuid_, format, layout::Stage::leaving)) ||
                   directory_.contains(layout::awaitingValueName(uuid_, format, hash));
        });
    }

    void note(StoreFinding finding) { copy_.findings.push_back(std::move(finding)); }

    const StoreDirectory &directory_;
    const SealingPolicy &policy_;
    const Uuid uuid_;
    Pin definition_;
    std::vector<Pin> values_;
    SecretCopy copy_;
    bool isThere_ = false;
    bool hasPending_ = false;
};

} // namespace

std::optional<SecretCopy> copySecret(const StoreDirectory &directory, const SealingPolicy &policy,
                                     const Uuid &uuid, const Retry &retry) {
    for (;;) {
        {
            Reading reading(directory, policy, uuid);
            if (!reading.isThere())
                return std::nullopt;
            if (reading.isOfOneMoment() && !reading.hasPending())
                return reading.take();
        }
        if (!retry())
            break;
    }
    throw Error(ErrorCode::internal,
                "secret " + inQuotes(uuid.toString()) + " in " + inQuotes(directory.path()) +
                    " is being changed again and again, or an interrupted change left its value "
                    "under another name; start the daemon, or end what changes it, and run this "
                    "again");
}

} // namespace keyhold::command
