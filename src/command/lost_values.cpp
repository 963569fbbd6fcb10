// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/lost_values.h"

#include "directory/secret_inspection.h"
#include "os/store_directory.h"

#include <chrono>
#include <string>
#include <thread>
#include <unordered_set>

namespace keyhold::command {

namespace {

/// More than the second in which a driver writes no second report.
constexpr std::chrono::milliseconds kUntilReported{1500};

/// Whether the daemon has a value of a stored secret, by its report.
class ServedValues {
  public:
    explicit ServedValues(const DriverView &view) {
        if (!view.told || !view.told->report.counts ||
            !view.told->report.counts->storedWithoutValue)
            return;
        const auto &without = *view.told->report.counts->storedWithoutValue;
        without_.insert(without.begin(), without.end());
        isKnown_ = true;
    }

    [[nodiscard]] bool has(const Uuid &uuid) const {
        return isKnown_ && !without_.contains(uuid.toString());
    }

  private:
    std::unordered_set<std::string> without_;
    bool isKnown_ = false;
};

} // namespace

std::map<Uuid, bool> findLostValues(const Target &target, const std::optional<Holder> &holder,
                                    const DriverView &view, const Inspection &inspection,
                                    const std::set<Uuid> &listed) {
    std::set<Uuid> missed;
    const ServedValues before(view);
    for (const Uuid &uuid : inspection.withoutValue) {
        if (listed.contains(uuid) && before.has(uuid))
            missed.insert(uuid);
    }
    std::map<Uuid, bool> lost;
    if (missed.empty())
        return lost;
    std::this_thread::sleep_for(kUntilReported);
    const ServedValues after(viewDriver(target, holder));
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const SealingPolicy noKeys(Keyring{}, {});
    for (const Uuid &uuid : missed) {
        const SecretInspection secret = inspectSecret(directory, noKeys, uuid);
        if (secret.definition && !secret.format && after.has(uuid))
            lost.emplace(uuid, secret.definition->isPrivate);
    }
    return lost;
}

} // namespace keyhold::command
