// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/shield.h"

#include "conf/error.h"
#include "seal/shield_key.h"

#include <atomic>
#include <cerrno>
#include <new>

#include <sodium.h>

namespace keyhold {
namespace {

/// The nonces used so far. 64 bits do not run out.
std::atomic<std::uint64_t> nonceCounter{0};

const ShieldKey &liveKey() {
    const ShieldKey &key = ShieldKey::ofProcess();
    if (!key_memory::isOurs())
        throw Error(ErrorCode::internal,
                    "secret values cannot be used in a forked copy of the process that held them");
    return key;
}

} // namespace

ShieldedValue ShieldedValue::seal(const Uuid &uuid, std::span<const std::uint8_t> plain) {
    const ShieldKey &key = liveKey();
    ShieldedValue value;
    if (plain.size() <= ShieldKey::kMaxPlainSize)
        value.box_.reset(new (std::nothrow) std::uint8_t[plain.size() + ShieldKey::kTagSize]);
    if (value.box_ == nullptr)
        throw Error(ErrorCode::noMemory, "cannot allocate memory for a secret value", ENOMEM);
    value.size_ = plain.size();
    value.nonce_ = nonceCounter.fetch_add(1, std::memory_order_relaxed);
    key.seal(uuid, value.nonce_, plain, value.box_.get());
    return value;
}

void ShieldedValue::open(const Uuid &uuid, std::span<std::uint8_t> plain) const {
    if (key_memory::isOurs() && box_ != nullptr && plain.size() == size_ &&
        ShieldKey::ofProcess().open(uuid, nonce_, box_.get(), plain))
        return;
    wipe(plain);
    liveKey();
    throw Error(ErrorCode::internal, "a secret value in memory failed its authentication");
}

void ShieldedValue::release(const ReleaseToken &token, std::span<std::uint8_t> out) const {
    open(token.uuid(), out);
}

void ShieldedValue::openInside(const Uuid &uuid, Scratch &plain) const {
    open(uuid, plain.bytes());
}

bool ShieldedValue::equals(const Uuid &uuid, std::span<const std::uint8_t> plain) const {
    liveKey();
    Scratch scratch(size_);
    open(uuid, scratch.bytes());
    return plain.size() == size_ && sodium_memcmp(plain.data(), scratch.bytes().data(), size_) == 0;
}

} // namespace keyhold
