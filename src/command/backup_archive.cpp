// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup_archive.h"

#include "command/archive_input.h"
#include "command/sha256.h"
#include "conf/bytes.h"
#include "conf/error.h"
#include "conf/secret_xml.h"
#include "directory/layout.h"
#include "directory/secret_files.h"
#include "seal/scratch.h"

#include <algorithm>
#include <memory>
#include <string_view>

namespace keyhold::command {

namespace {

constexpr std::string_view kFolder = "secrets/";
/// Bytes; of more than a million secrets.
constexpr std::size_t kMaxManifestSize = std::size_t{512} * 1024 * 1024;

[[noreturn]] void refuse(const std::string &text, SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::valueUnreadable, text, 0, place);
}

class BackupReader {
  public:
    BackupReader(TarReader &tar, const SealingPolicy &policy,
                 const std::function<void(const ArchivedSecret &)> &visit)
        : tar_(tar),
          policy_(policy),
          visit_(visit) {}

    Manifest read() {
        while (const auto member = tar_.next()) {
            const std::string inArchive = "member " + inQuotes(member->name);
            if (!member->isRegular)
                refuse("has a " + inArchive + " that is not a regular file");
            if (member->name == kManifestName)
                return readManifest(*member);
            const auto file = member->name.starts_with(kFolder)
                                  ? layout::parseFileName(member->name.substr(kFolder.size()))
                                  : std::nullopt;
            if (!file || file->stage != layout::Stage::current)
                refuse("has a " + inArchive + ", which no backup has");
            if (file->form)
                readValue(*member, file->uuid, *file->form);
            else
                readDefinition(*member, file->uuid);
        }
        refuse("is cut off: it has no " + std::string(kManifestName) + " at its end");
    }

  private:
    void readDefinition(const TarReader::Member &member, const Uuid &uuid) {
        finishSecret();
        if (last_ && uuid <= *last_)
            refuse("has " + inQuotes(member.name) + " twice or out of order");
        last_ = uuid;
        const std::string text = readText(member, kMaxDefinitionFileSize);
        secret_.emplace();
        try {
            secret_->definition = parseSecretFile({text.data(), text.size()}, member.name);
        } catch (const Error &error) {
            refuse("has a definition " + inQuotes(member.name) +
                   " that cannot be read: " + error.fullText());
        }
        if (secret_->definition.uuid != uuid)
            refuse("has a definition " + inQuotes(member.name) + " of another secret, " +
                   inQuotes(secret_->definition.uuid.toString()));
        secret_->digest = note(member, bytesOf(text));
    }

    void readValue(const TarReader::Member &member, const Uuid &uuid, ValueFormat format) {
        if (!secret_ || secret_->definition.uuid != uuid)
            refuse("has a value " + inQuotes(member.name) + " that does not follow its definition");
        requireSize(member, maxTextSize(format));
        Scratch text(member.size);
        tar_.read(text.bytes());
        secret_->digest += note(member, text.bytes());
        secret_->encoded = {format, text.bytes()};
        try {
            secret_->keyId = keyIdIn(format, text.bytes());
            auto decoded = policy_.decodeAny(format, uuid, text.bytes());
            if (!decoded)
                refuse("is blank");
            secret_->value = Value::of(std::move(decoded->value));
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory || error.code() == ErrorCode::internal)
                throw;
            if (error.code() != ErrorCode::invalidEncryptionKey)
                refuse("has a value " + inQuotes(member.name) + " that " + error.fullText());
            secret_->value = Value::unreadable(error);
        }
        finishSecret();
    }

    Manifest readManifest(const TarReader::Member &member) {
        finishSecret();
        Manifest manifest = parseManifest(readText(member, kMaxManifestSize));
        if (tar_.next())
            refuse("has members after its " + std::string(kManifestName));
        const auto [inFile, inManifest] = std::ranges::mismatch(members_, manifest.members);
        if (inFile != members_.end())
            refuse("has a member " + inQuotes(inFile->name) + " that is not as its " +
                   std::string(kManifestName) + " says");
        if (inManifest != manifest.members.end())
            refuse("lacks the member " + inQuotes(inManifest->name) + " that its " +
                   std::string(kManifestName) + " names");
        if (counts_ != manifest.counts)
            refuse("has other secrets than its " + std::string(kManifestName) + " counts");
        return manifest;
    }

    /// Gives the secret in hand to the visitor, once its value, if it has one, was read.
    void finishSecret() {
        if (!secret_)
            return;
        const auto format =
            secret_->encoded ? std::optional(secret_->encoded->format) : std::nullopt;
        counts_.add(format, secret_->keyId);
        visit_(*secret_);
        secret_.reset();
    }

    static void requireSize(const TarReader::Member &member, std::size_t limit) {
        if (member.size > limit)
            refuse("has a member " + inQuotes(member.name) + " of more than " +
                   std::to_string(limit) + " bytes");
    }

    std::string readText(const TarReader::Member &member, std::size_t limit) {
        requireSize(member, limit);
        std::string text(member.size, '\0');
        tar_.read({reinterpret_cast<std::uint8_t *>(text.data()), text.size()});
        return text;
    }

    std::string note(const TarReader::Member &member, std::span<const std::uint8_t> content) {
        members_.push_back({member.name, content.size(), sha256Of(content)});
        return members_.back().sha256;
    }

    TarReader &tar_;
    const SealingPolicy &policy_;
    const std::function<void(const ArchivedSecret &)> &visit_;
    std::optional<ArchivedSecret> secret_;
    std::optional<Uuid> last_;
    ArchiveCounts counts_;
    std::vector<Manifest::Member> members_;
};

} // namespace

void BackupWriter::add(const SecretCopy &secret) {
    const Uuid &uuid = secret.definition->uuid;
    const std::string folder(kFolder);
    addMember(folder + layout::definitionName(uuid), bytesOf(secret.definitionText));
    if (secret.format)
        addMember(folder + layout::valueName(uuid, *secret.format), secret.file->bytes());
    counts_.add(secret.format, secret.format ? secret.keyId : std::string());
}

void BackupWriter::addMember(const std::string &name, std::span<const std::uint8_t> content) {
    tar_.add(name, content);
    members_.push_back({name, content.size(), sha256Of(content)});
}

void BackupWriter::finish(Manifest &manifest) {
    manifest.counts = counts_;
    manifest.members = std::move(members_);
    const std::string text = formatManifest(manifest);
    tar_.add(std::string(kManifestName), bytesOf(text));
    tar_.close();
}

Manifest readBackup(const std::string &path, const SealingPolicy &policy,
                    const std::function<void(const ArchivedSecret &)> &visit,
                    FileSystem &fileSystem) {
    const ArchiveInput file(fileSystem, path);
    // Errors of a visitor are not of the archive.
    std::exception_ptr failure;
    const std::function<void(const ArchivedSecret &)> guarded = [&](const ArchivedSecret &secret) {
        try {
            visit(secret);
        } catch (...) {
            failure = std::current_exception();
            throw;
        }
    };
    try {
        TarReader tar([&](std::span<std::uint8_t> buffer) { return file.read(buffer); });
        return BackupReader(tar, policy, guarded).read();
    } catch (const Error &error) {
        if (failure || error.code() != ErrorCode::valueUnreadable)
            throw;
        throw Error(error.code(), inQuotes(path) + " " + error.message(), 0, error.place());
    }
}

} // namespace keyhold::command
