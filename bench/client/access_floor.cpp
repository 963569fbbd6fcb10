// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/access_floor.h"

#include "abi/tables.h"
#include "client/private_function.h"
#include "common/clocks.h"
#include "common/fixed_secrets.h"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <vector>

namespace keyhold::bench {

namespace {

using Check = bool(virConnectPtr, abi::SecretDef *);
using MakeHandle = virSecretPtr(virConnectPtr, const unsigned char *, int, const char *);

/// The definitions of a store, as the access functions read them.
class Definitions {
  public:
    explicit Definitions(std::uint64_t count) {
        definitions_.reserve(count);
        for (std::uint64_t number = 0; number < count; ++number) {
            usages_.push_back(usageOf(number));
            abi::SecretDef definition{};
            std::ranges::copy(uuidOf(number), definition.uuid);
            definition.usageType = VIR_SECRET_USAGE_TYPE_CEPH;
            definition.usageId = usages_.back().data();
            definitions_.push_back(definition);
        }
    }

    [[nodiscard]] std::vector<abi::SecretDef> &all() { return definitions_; }

  private:
    std::deque<std::string> usages_; // does not move them
    std::vector<abi::SecretDef> definitions_;
};

} // namespace

Figures timeChecks(const Target &target, const Words &words) {
    auto *const check = privateFunction<Check>("virConnectNumOfSecretsCheckACL");
    Definitions definitions(target.count);
    const std::size_t times = words.number(0);
    std::size_t visible = 0;
    const Stopwatch watch;
    for (std::size_t i = 0; i < times; ++i) {
        for (abi::SecretDef &definition : definitions.all())
            visible += check(target.connection, &definition) ? 1 : 0;
    }
    const double seconds = watch.wall() / static_cast<double>(times);
    if (visible != times * target.count)
        throw std::runtime_error("an access check refused a secret");
    return {{"seconds", seconds}};
}

Figures timeHandles(const Target &target, const Words &words) {
    auto *const check = privateFunction<Check>("virConnectListAllSecretsCheckACL");
    auto *const makeHandle = privateFunction<MakeHandle>("virGetSecret");
    Definitions definitions(target.count);
    const std::size_t times = words.number(0);
    double seconds = 0;
    for (std::size_t i = 0; i < times; ++i) {
        std::vector<virSecretPtr> handles;
        handles.reserve(target.count);
        const Stopwatch watch;
        for (abi::SecretDef &definition : definitions.all()) {
            if (check(target.connection, &definition))
                handles.push_back(makeHandle(target.connection, definition.uuid,
                                             definition.usageType, definition.usageId));
        }
        seconds += watch.wall();
        if (handles.size() != target.count || std::ranges::count(handles, nullptr) != 0)
            throw std::runtime_error("an access check refused a secret");
        std::ranges::for_each(handles, virSecretFree);
    }
    return {{"seconds", seconds / static_cast<double>(times)}};
}

} // namespace keyhold::bench
