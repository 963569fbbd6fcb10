// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/foreign_files.h"

#include "command/archive_input.h"
#include "command/key_places.h"
#include "command/tar_archive.h"
#include "conf/error.h"
#include "directory/layout.h"
#include "directory/listing.h"
#include "directory/secret_files.h"
#include "seal/base64.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <sys/stat.h>

namespace keyhold::command {

namespace {

using Kind = Finding::Kind;

constexpr std::size_t kMaxArchiveRead = std::size_t{8} * 1024 * 1024;

bool isPlainValue(std::string_view member) {
    const auto file = layout::parseFileName(member.substr(member.rfind('/') + 1));
    return file && file->form == ValueFormat::plain;
}

/// What is wrong with an archive; empty for what is none, and for one without plain values.
const char *problemOfArchive(const StoreDirectory &directory, const std::string &name) {
    const ArchiveInput file(directory.fileSystem(), directory.pathOf(name));
    std::size_t left = kMaxArchiveRead;
    bool hasMembers = false;
    try {
        TarReader tar([&](std::span<std::uint8_t> buffer) {
            const std::size_t got = file.read(buffer.first(std::min(left, buffer.size())));
            left -= got;
            return got;
        });
        for (auto member = tar.next(); member; member = tar.next()) {
            hasMembers = true;
            if (isPlainValue(member->name))
                return "is an archive with values in plain; move it elsewhere, or remove it";
        }
    } catch (const Error &error) {
        if (error.code() != ErrorCode::valueUnreadable)
            throw;
    }
    return hasMembers && left == 0
               ? "is an archive too large to look through, which may hold values in plain; move it "
                 "elsewhere, or remove it"
               : nullptr;
}

std::optional<Finding> findingOfContent(const std::string &path,
                                        std::span<const std::uint8_t> content) {
    const std::string_view text(reinterpret_cast<const char *>(content.data()), content.size());
    // RFC 7517, as `keyhold key export --jwk` writes it.
    if (text.find("\"kty\"") != std::string_view::npos &&
        text.find("\"k\"") != std::string_view::npos)
        return Finding{Kind::keyFile, path, kKeyBesideValues};
    GuardedMemory value(content.size() / 4 * 3 + 3);
    if (decodePlain(content, value.bytes()).value_or(0) > 0)
        return Finding{
            Kind::plainCopy, path,
            "reads as a value in plain, and is no file of a secret; move it elsewhere, or "
            "remove it"};
    return std::nullopt;
}

std::optional<Finding> findingOf(const StoreDirectory &directory, const std::string &name,
                                 const KeyPlan &plan) {
    const std::string path = directory.pathOf(name);
    FileStatus status;
    if (directory.fileSystem().statusAt(directory.number(), name.c_str(), status) < 0 ||
        !S_ISREG(status.mode))
        return std::nullopt;
    if (isKeyOf(plan, status))
        return std::nullopt;
    if (static_cast<std::size_t>(status.size) == Key::kSize)
        return Finding{Kind::keyFile, path, kKeyBesideValues};
    if (const char *const problem = problemOfArchive(directory, name))
        return Finding{Kind::plainCopy, path, problem};
    if (static_cast<std::size_t>(status.size) > Scratch::kPooledSize)
        return std::nullopt;
    const auto file = readValueFile(directory, name, Scratch::kPooledSize);
    return file ? findingOfContent(path, file->bytes()) : std::nullopt;
}

} // namespace

std::vector<Finding> foreignFiles(const StoreDirectory &directory, const KeyPlan &plan) {
    std::vector<std::string> names = listStore(directory).foreign;
    std::ranges::sort(names);
    std::vector<Finding> found;
    for (const std::string &name : names) {
        try {
            if (auto finding = findingOf(directory, name, plan))
                found.push_back(*std::move(finding));
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory)
                throw;
            found.push_back({Kind::unseen, directory.pathOf(name),
                             "may hold a value, and cannot be read: " + error.fullText()});
        }
    }
    return found;
}

} // namespace keyhold::command
