// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/secret_store.h"

#include <chrono>
#include <new>

namespace keyhold {

namespace {

/// Reports how far a re-encryption is, now and then.
class Progress {
  public:
    Progress(AdminLog &log, std::size_t count) : log_(log), count_(count) {
        log_.info("re-encrypting " + std::to_string(count) +
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
    void noteFailed() { ++failed_; }

    void end() {
        if (failed_ > 0)
            log_.warning(text() + "; " + std::to_string(failed_) +
                         " failed, for the reasons above; a reload tries again");
        else if (done_ < count_)
            log_.info(text() + "; the rest follows at the next start");
        else if (written_ < count_)
            log_.info(text() + "; the others were changed or removed since");
        else
            log_.info(text());
    }

  private:
    static constexpr auto kInterval = std::chrono::seconds(10);

    [[nodiscard]] std::string text() const {
        return "re-encrypted " + std::to_string(written_) + " of " + std::to_string(count_) +
               " values";
    }

    AdminLog &log_;
    const std::size_t count_;
    std::size_t done_ = 0; // with those that failed or needed it no more
    std::size_t written_ = 0;
    std::size_t failed_ = 0;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

} // namespace

void SecretStore::reencrypt(const std::function<bool()> &isStopped) {
    const auto durable = barrier();
    const std::vector<Uuid> reencryptable = durable->reencryptable();
    if (reencryptable.empty())
        return;
    Progress progress(log_, reencryptable.size());
    for (const Uuid &uuid : reencryptable) {
        const auto fail = [&](const std::string &why) {
            log_.error("value of secret " + inQuotes(uuid.toString()) +
                       " was not re-encrypted: " + why);
            progress.noteFailed();
        };
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
            fail(error.fullText());
        } catch (const std::bad_alloc &) {
            fail("no memory");
        }
        progress.step();
    }
    progress.end();
}

} // namespace keyhold
