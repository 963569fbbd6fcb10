// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/secret_store.h"

#include <chrono>
#include <new>

namespace keyhold {

namespace {

/// Tells how far a renewal is, now and then.
class Progress {
  public:
    Progress(Journal &journal, std::size_t count) : journal_(journal), count_(count) {
        journal_.info("writing " + std::to_string(count) +
                      " stored values anew, with the key and form of secret.conf");
    }

    void step() {
        ++done_;
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < kInterval)
            return;
        told_ = now;
        journal_.info("written anew: " + std::to_string(done_) + " of " + std::to_string(count_) +
                      " values");
    }

    void end(std::size_t failures) {
        const std::string text = "written anew: " + std::to_string(done_ - failures) + " of " +
                                 std::to_string(count_) + " values";
        if (done_ < count_)
            journal_.info(text + "; the rest follows at the next start");
        else if (failures > 0)
            journal_.warning(text + "; the others stay as they were; their reasons are above, and "
                                    "a reload tries again");
        else
            journal_.info(text);
    }

  private:
    static constexpr auto kInterval = std::chrono::seconds(10);

    Journal &journal_;
    const std::size_t count_;
    std::size_t done_ = 0;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

} // namespace

void SecretStore::renewOutdated(const std::function<bool()> &isStopped) {
    const std::lock_guard lock(renewing_);
    const std::vector<Uuid> outdated = backend()->outdated();
    if (outdated.empty())
        return;
    Progress progress(journal_, outdated.size());
    std::size_t failures = 0;
    for (const Uuid &uuid : outdated) {
        const auto fail = [&](const std::string &why) {
            journal_.error("value of secret '" + uuid.toString() +
                           "' was not written anew: " + why);
            ++failures;
        };
        if (isStopped())
            break;
        try {
            const IndexWriter writer(index_, uuid);
            // One that a client removed meanwhile, or keeps in memory alone by now, is not stored.
            if (writer.current() && writer.current()->isStored)
                backend()->renewValue(uuid);
        } catch (const Error &error) {
            // Whatever came of the file, it holds the same value: the record stays true.
            fail(error.fullText());
        } catch (const std::bad_alloc &) {
            fail("no memory");
        }
        progress.step();
    }
    progress.end(failures);
}

} // namespace keyhold
