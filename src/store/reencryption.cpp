// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/reencryption.h"

#include "store/secret_store.h"

#include <chrono>
#include <ctime>
#include <map>
#include <new>

namespace keyhold {

namespace {

/// Reports how far a re-encryption is, now and then.
class Progress {
  public:
    Progress(AdminLog &log, std::size_t count) : log_(log), count_(count) {
        log_.notice("re-encrypting " + std::to_string(count) +
                    " stored values, with the key and format of secret.conf");
    }

    void step() {
        ++done_;
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < kInterval)
            return;
        told_ = now;
        log_.info(text());
    }
    void noteWritten() { ++written_; }
    /// What fails for one reason makes one line at the end.
    void noteFailed(const Uuid &uuid, const std::string &why) {
        ++failed_;
        ++failures_.try_emplace(why, Failure{uuid}).first->second.count;
    }

    EndedReencryption end() {
        for (const auto &[why, failure] : failures_)
            log_.error(textOf(failure) + why);
        if (failed_ > 0)
            log_.warning(text() + "; " + std::to_string(failed_) +
                         " failed, for the reasons above; a reload tries again");
        else if (done_ < count_)
            log_.notice(text() + "; the rest follows at the next start");
        else if (written_ < count_)
            log_.notice(text() + "; the others were changed or removed since");
        else
            log_.notice(text());
        return {std::time(nullptr), written_, failed_};
    }

  private:
    struct Failure {
        Uuid first;
        std::size_t count = 0;
    };

    static constexpr auto kInterval = std::chrono::seconds(10);

    [[nodiscard]] std::string text() const {
        return "re-encrypted " + std::to_string(written_) + " of " + std::to_string(count_) +
               " values";
    }
    [[nodiscard]] static std::string textOf(const Failure &failure) {
        const std::string first = inQuotes(failure.first.toString());
        if (failure.count == 1)
            return "value of secret " + first + " was not re-encrypted: ";
        return std::to_string(failure.count) + " values were not re-encrypted, such as that of " +
               "secret " + first + ": ";
    }

    AdminLog &log_;
    const std::size_t count_;
    std::size_t done_ = 0; // with those that failed or needed it no more
    std::size_t written_ = 0;
    std::size_t failed_ = 0;
    std::map<std::string, Failure> failures_; // by the reason
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

} // namespace

void SecretStore::reencrypt(const std::function<bool()> &isStopped) {
    const auto durable = barrier_.get();
    const std::vector<Uuid> reencryptable = durable->reencryptable();
    if (reencryptable.empty())
        return;
    Progress progress(log_, reencryptable.size());
    for (const Uuid &uuid : reencryptable) {
        if (isStopped())
            break;
        try {
            const bool isWritten = retryConflicts(uuid, [&] {
                const IndexWriter writer(index_, uuid);
                const RecordPtr &record = writer.current();
                // One that a client removed, or keeps in memory alone by now, is not stored.
                return record && record->isStored && durable->reencrypt(uuid, record.get());
            });
            if (isWritten)
                progress.noteWritten();
        } catch (const Error &error) {
            // Whatever came of the file, it holds the same value: the record stays true.
            progress.noteFailed(uuid, error.fullText());
        } catch (const std::bad_alloc &) {
            progress.noteFailed(uuid, "no memory");
        }
        progress.step();
    }
    lastReencryption_.set(progress.end());
}

} // namespace keyhold
