// SPDX-License-Identifier: LGPL-2.1-or-later
// The floor of lookups: hash tables of the standard library over as many secrets, in memory of the
// same kind, without locks, access checks or handles. What it loses with n, it loses to caches.
#include "common/clocks.h"
#include "common/commands.h"
#include "common/fixed_secrets.h"

#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace keyhold::bench {

namespace {

struct Entry {
    UuidBytes uuid;
    std::string usage;
    std::string description;
};

struct HashUuid {
    std::size_t operator()(const UuidBytes &uuid) const noexcept {
        std::size_t hash = 0;
        std::memcpy(&hash, uuid.data(), sizeof(hash));
        return hash;
    }
};

class Table {
  public:
    explicit Table(std::uint64_t count) : count_(count) {
        for (std::uint64_t number = 0; number < count; ++number) {
            auto entry = std::make_shared<Entry>(
                Entry{uuidOf(number), usageOf(number), "Key of host " + std::to_string(number)});
            usages_.emplace(entry->usage, entry->uuid);
            uuids_.emplace(entry->uuid, std::move(entry));
        }
    }

    Figures read(const Words &words) const {
        const std::string &name = words.word(0);
        const std::size_t times = words.number(1);
        std::size_t found = 0;
        const Stopwatch watch;
        for (std::size_t i = 0; i < times; ++i) {
            const std::uint64_t number = scramble(i) % count_;
            found += name == "uuid"    ? touch(uuidOf(number))
                     : name == "usage" ? touchUsage(usageOf(number))
                                       : touchUsage(usageOf(count_ + number));
        }
        const double seconds = watch.wall() / static_cast<double>(times);
        if (found != (name == "miss" ? 0 : times))
            throw std::runtime_error("the table lost an entry");
        return {{"seconds", seconds}};
    }

  private:
    // Reads what a driver must: the uuid and the use of the record.
    std::size_t touch(const UuidBytes &uuid) const {
        const auto found = uuids_.find(uuid);
        return found != uuids_.end() && found->second->uuid == uuid && !found->second->usage.empty()
                   ? 1
                   : 0;
    }
    std::size_t touchUsage(const std::string &usage) const {
        const auto found = usages_.find(usage);
        return found == usages_.end() ? 0 : touch(found->second);
    }

    std::uint64_t count_;
    std::unordered_map<UuidBytes, std::shared_ptr<const Entry>, HashUuid> uuids_;
    std::unordered_map<std::string, UuidBytes> usages_;
};

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    using namespace keyhold::bench;
    try {
        if (argc != 2) {
            std::fputs("usage: floor_lookups COUNT\n"
                       "Commands: read uuid|usage|miss TIMES; see commands.h.\n",
                       stderr);
            return 2;
        }
        const Table table(std::stoull(argv[1]));
        obey({{"read", [&](const Words &words) { return table.read(words); }}});
        return 0;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "floor_lookups: %s\n", problem.what());
        return 1;
    }
}
