// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_points.h"

#include "command/raw_bytes.h"
#include "conf/error.h"
#include "os/descriptor.h"
#include "seal/scratch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sodium.h>

namespace keyhold::command {

namespace {

constexpr std::size_t kHexSize = 2 * sizeof(audit::Digest);

struct Point {
    std::uint64_t sequence;
    std::string_view hex;
};

std::optional<Point> parsePoint(std::string_view text) {
    Point point{};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), point.sequence);
    if (error != std::errc() || point.sequence == 0)
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.size() != 1 + kHexSize || text.front() != ':')
        return std::nullopt;
    point.hex = text.substr(1);
    return point;
}

audit::SealingKey parseKey(std::string_view text, const std::string &where) {
    const auto point = parsePoint(text);
    Scratch key(sizeof(audit::Digest));
    std::size_t size = 0;
    if (!point ||
        sodium_hex2bin(key.bytes().data(), key.bytes().size(), point->hex.data(), kHexSize, nullptr,
                       &size, nullptr) != 0 ||
        size != key.bytes().size())
        throw Error(ErrorCode::invalidArgument,
                    where + " is no key of a trail; give it as 'keyhold audit init' printed it, "
                            "SEQUENCE:HEX");
    return {point->sequence, key.bytes().first<sizeof(audit::Digest)>()};
}

std::size_t readKeyFile(const std::string &path, std::span<std::uint8_t> into) {
    if (path == "-")
        return readInput(into);
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor file(fileSystem, fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY, 0));
    ssize_t result = file.number();
    std::size_t size = 0;
    while (result >= 0 && size < into.size()) {
        result = fileSystem.read(file.number(), into.data() + size, into.size() - size);
        if (result == 0)
            return size;
        if (result > 0)
            size += static_cast<std::size_t>(result);
    }
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot read " + inQuotes(path),
                    static_cast<int>(-result));
    return size;
}

} // namespace

audit::Head parseHead(const std::string &text) {
    const auto point = parsePoint(text);
    const auto chain = point ? audit::digestOf(point->hex) : std::nullopt;
    if (!chain)
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(text) + " is no head of a trail; give it as 'keyhold audit verify' "
                                     "printed it, SEQUENCE:HEX");
    return {point->sequence, *chain};
}

std::string textOf(const audit::Head &head) {
    return std::to_string(head.sequence) + ":" + audit::hexOf(head.chain);
}

std::vector<audit::SealingKey> readTrailKeys(const std::vector<std::string> &given,
                                             const std::string &file) {
    std::vector<audit::SealingKey> keys;
    keys.reserve(given.size());
    for (const std::string &each : given)
        keys.push_back(parseKey(each, "the argument of --key"));
    if (!file.empty()) {
        Scratch buffer(Scratch::kSmallSize);
        const std::size_t size = readKeyFile(file, buffer.bytes());
        const std::string where = file == "-" ? "standard input" : inQuotes(file);
        if (size == buffer.bytes().size())
            throw Error(ErrorCode::invalidArgument, where + " is too long for keys of a trail");
        std::string_view text{reinterpret_cast<const char *>(buffer.bytes().data()), size};
        std::size_t number = 1;
        for (; !text.empty(); ++number) {
            const std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(text.size(), line.size() + 1));
            if (!line.empty())
                keys.push_back(parseKey(line, "line " + std::to_string(number) + " of " + where));
        }
        if (keys.size() == given.size())
            throw Error(ErrorCode::invalidArgument, where + " has no key");
    }
    std::ranges::stable_sort(keys, {}, &audit::SealingKey::sequence);
    return keys;
}

} // namespace keyhold::command
