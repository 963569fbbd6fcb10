// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/key_file.h"

#include "conf/error.h"
#include "conf/sodium.h"
#include "os/durable_file.h"
#include "os/untrusted_file.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace keyhold::audit {

namespace {

constexpr std::string_view kFirstLine = "keyhold-audit-key 1\n";
constexpr std::size_t kDigits = 20; // of the largest sequence
constexpr std::size_t kHexSize = 2 * sizeof(Digest);
constexpr std::size_t kSize = kFirstLine.size() + kDigits + 1 + 2 * (kHexSize + 1);

std::optional<KeptKey> parse(std::string_view text) {
    if (text.size() != kSize || !text.starts_with(kFirstLine))
        return std::nullopt;
    text.remove_prefix(kFirstLine.size());
    std::uint64_t sequence = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + kDigits, sequence);
    if (error != std::errc() || end != text.data() + kDigits)
        return std::nullopt;
    text.remove_prefix(kDigits + 1);
    GuardedMemory key(sizeof(Digest));
    std::size_t length = 0;
    if (sodium_hex2bin(key.bytes().data(), key.size(), text.data(), kHexSize, nullptr, &length,
                       nullptr) != 0 ||
        length != key.size())
        return std::nullopt;
    text.remove_prefix(kHexSize + 1);
    const auto chain = digestOf(text.substr(0, kHexSize));
    if (!chain || text.back() != '\n')
        return std::nullopt;
    return KeptKey{SealingKey(sequence, key.bytes().first<sizeof(Digest)>()), *chain};
}

} // namespace

std::optional<KeptKey> readSealingKey(const StoreDirectory &directory, const std::string &name) {
    const auto file = UntrustedFile::open(directory, name, kSize);
    if (!file)
        return std::nullopt;
    GuardedMemory buffer(file->size() + 1);
    const std::size_t size = file->read(buffer.bytes());
    auto kept = parse({reinterpret_cast<const char *>(buffer.bytes().data()), size});
    if (!kept)
        throw Error(ErrorCode::internal,
                    inQuotes(directory.pathOf(name)) +
                        " is not a key of an audit trail; put the right one back, or remove it "
                        "and run: keyhold audit init");
    return kept;
}

void writeSealingKey(StoreDirectory &directory, const std::string &name, const SealingKey &key,
                     const Digest &chain) {
    GuardedMemory text(kSize);
    auto *out = std::ranges::copy(kFirstLine, text.bytes().data()).out;
    const std::string digits = std::to_string(key.sequence());
    out = std::fill_n(out, kDigits - digits.size(), '0');
    out = std::ranges::copy(digits, out).out;
    *out++ = '\n';
    sodium_bin2hex(reinterpret_cast<char *>(out), kHexSize + 1, key.bytes().data(),
                   key.bytes().size());
    out += kHexSize; // its NUL is overwritten
    *out++ = '\n';
    out = std::ranges::copy(hexOf(chain), out).out;
    *out = '\n';
    const std::string staged = name + ".new";
    writeSyncedFile(directory, staged, text.bytes());
    const std::string old = name + ".old";
    if (replaceDurably(directory, staged, name, old))
        directory.unlink(old);
    directory.syncOrRaise(); // or the former key is there again after a power cut
}

} // namespace keyhold::audit
