// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/reads.h"

#include "common/clocks.h"
#include "common/fixed_secrets.h"
#include "common/threads.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace keyhold::bench {

namespace {

constexpr int kStep = 64; // calls between two looks at the clock

void releaseAll(virSecretPtr *secrets, int count) {
    for (int i = 0; i < count; ++i)
        virSecretFree(secrets[i]);
    std::free(secrets);
}

void requireCount(const Target &target, int found, const char *what) {
    if (found < 0)
        fail(what);
    if (static_cast<std::uint64_t>(found) != target.count)
        throw std::runtime_error(std::string(what) + ": " + std::to_string(found) +
                                 " secrets instead of " + std::to_string(target.count));
}

void lookupByUsage(const Target &target, std::uint64_t number) {
    const Secret secret(virSecretLookupByUsage(target.connection, VIR_SECRET_USAGE_TYPE_CEPH,
                                               usageOf(number).c_str()));
    if (!secret)
        fail("look a usage up");
}

void lookupMiss(const Target &target, std::uint64_t number) {
    const Secret secret(virSecretLookupByUsage(target.connection, VIR_SECRET_USAGE_TYPE_CEPH,
                                               usageOf(target.count + number).c_str()));
    if (secret)
        throw std::runtime_error("a usage that nobody defined was found");
}

void getValue(virSecretPtr secret, std::uint64_t number) {
    std::size_t size = 0;
    unsigned char *value = virSecretGetValue(secret, &size, 0);
    if (!value)
        fail("get the value of " + std::to_string(number));
    const ValueBytes expected = valueOf(number);
    const bool isRight = size == expected.size() && std::memcmp(value, expected.data(), size) == 0;
    std::free(value);
    if (!isRight)
        throw std::runtime_error("the value of " + std::to_string(number) + " is another one");
}

void getXml(virSecretPtr secret, std::uint64_t number) {
    char *xml = virSecretGetXMLDesc(secret, 0);
    if (!xml)
        fail("get the definition of " + std::to_string(number));
    const bool isRight = std::strncmp(xml, "<secret ", 8) == 0;
    std::free(xml);
    if (!isRight)
        throw std::runtime_error("the definition of " + std::to_string(number) + " is none");
}

void listUuids(const Target &target) {
    std::vector<char *> uuids(target.count);
    const int found =
        virConnectListSecrets(target.connection, uuids.data(), static_cast<int>(uuids.size()));
    for (int i = 0; i < found; ++i)
        std::free(uuids[static_cast<std::size_t>(i)]);
    requireCount(target, found, "list the uuids");
}

/// Handles of some secrets that are spread over the store, looked up beforehand.
class Handles {
  public:
    explicit Handles(const Target &target) {
        const std::uint64_t wanted = std::min<std::uint64_t>(target.count, kMost);
        for (std::uint64_t i = 0; i < wanted; ++i) {
            numbers_.push_back(i * target.count / wanted);
            secrets_.push_back(lookup(target, numbers_.back()));
        }
    }

    template <typename Call>
    void use(std::uint64_t choice, const Call &call) const {
        const std::size_t place = choice % secrets_.size();
        call(secrets_[place].get(), numbers_[place]);
    }

  private:
    static constexpr std::uint64_t kMost = 16384;
    std::vector<std::uint64_t> numbers_;
    std::vector<Secret> secrets_;
};

} // namespace

Read readNamed(const Target &target, const std::string &name) {
    if (name == "uuid")
        return [=](std::uint64_t choice) { lookup(target, choice % target.count).reset(); };
    if (name == "usage")
        return [=](std::uint64_t choice) { lookupByUsage(target, choice % target.count); };
    if (name == "miss")
        return [=](std::uint64_t choice) { lookupMiss(target, choice % target.count); };
    if (name == "get") {
        const auto handles = std::make_shared<const Handles>(target);
        return [=](std::uint64_t choice) { handles->use(choice, getValue); };
    }
    if (name == "xml") {
        const auto handles = std::make_shared<const Handles>(target);
        return [=](std::uint64_t choice) { handles->use(choice, getXml); };
    }
    if (name == "count")
        return [=](std::uint64_t) {
            requireCount(target, virConnectNumOfSecrets(target.connection), "count");
        };
    if (name == "list")
        return [=](std::uint64_t) {
            virSecretPtr *secrets = nullptr;
            const int found = virConnectListAllSecrets(target.connection, &secrets, 0);
            requireCount(target, found, "list");
            releaseAll(secrets, found);
        };
    if (name == "uuids")
        return [=](std::uint64_t) { listUuids(target); };
    throw std::runtime_error("no such call: " + name);
}

Figures readRepeatedly(const Target &target, const Words &words) {
    const Read read = readNamed(target, words.word(0));
    const std::size_t times = words.number(1);
    read(0);
    const Stopwatch watch;
    for (std::size_t i = 0; i < times; ++i)
        read(scramble(i));
    return {{"seconds", watch.wall() / static_cast<double>(times)},
            {"cpu", watch.cpu() / static_cast<double>(times)}};
}

Figures listRepeatedly(const Target &target, const Words &words) {
    const std::size_t times = words.number(0);
    double seconds = 0;
    for (std::size_t i = 0; i < times; ++i) {
        virSecretPtr *secrets = nullptr;
        const Stopwatch watch;
        const int found = virConnectListAllSecrets(target.connection, &secrets, 0);
        seconds += watch.wall();
        requireCount(target, found, "list");
        releaseAll(secrets, found);
    }
    return {{"seconds", seconds / static_cast<double>(times)}};
}

Figures readInThreads(const Target &target, const Words &words) {
    const Read read = readNamed(target, words.word(0));
    const double limit = std::stod(words.word(1));
    const auto threads = static_cast<unsigned>(words.number(2));
    std::atomic<std::uint64_t> calls{0};
    const double seconds = timeThreads(threads, [&](unsigned thread) {
        const Stopwatch watch;
        std::uint64_t done = 0;
        while (watch.wall() < limit) {
            for (int i = 0; i < kStep; ++i)
                read(scramble(done++ * threads + thread));
        }
        calls += done;
    });
    return {{"per_second", static_cast<double>(calls) / seconds}};
}

} // namespace keyhold::bench
