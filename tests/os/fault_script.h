// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/disk_loss.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace keyhold {

/// Thrown by calls that a stopped process would not have made. Not a std::exception, so that
/// product code does not take it for a failure.
struct Stopped {};

/// Which calls of a MemoryFileSystem fail, and a record of all of them. Not thread-safe.
class FaultScript {
  public:
    enum class Calls { changing, all }; ///< which calls are counted
    enum class Effect { none, done };   ///< whether a failed call did its work all the same
    enum class Kind { failOnce, failOnwards, stop, die };

    struct Call {
        const char *verb;
        std::string path;
        bool changes = false; ///< something that others or a later start can see
        bool closes = false;
        bool syncs = false;        ///< fsync
        bool asksReadOnly = false; ///< whether the file system takes changes
    };

    /// What becomes of a call: whether it is made, and what it answers in any case.
    struct Verdict {
        bool isMade = true;
        int answer = 0; ///< -errno, or 1; 0 for what the call itself answers, or for 0 if not made
    };

    /// `k` counts from now; 1 is the next call.
    void add(Kind kind, std::size_t k, Calls calls, int error, Effect effect);
    /// After `k` more changing calls.
    void loseDisk(std::size_t k, DiskLoss how) { lossAfter_ = {changing_ + k, how}; }
    void clearFaults();
    [[nodiscard]] bool isStopped() const { return isStopped_; }

    /// Counts a call. Throws Stopped.
    [[nodiscard]] Verdict judge(const Call &call);
    void note(const Call &call, ssize_t result);

    [[nodiscard]] std::size_t callCount(Calls calls) const;
    [[nodiscard]] std::vector<std::string> trace(Calls calls) const;
    void clearTrace();

  private:
    struct Fault {
        Kind kind;
        std::size_t first; ///< number of the first call it concerns
        Calls calls;
        Verdict verdict;

        [[nodiscard]] bool concerns(std::size_t number) const {
            return kind == Kind::failOnce ? number == first : number >= first;
        }
    };

    [[nodiscard]] Verdict refuse(const Call &call) const;
    void judgeLoss(const Call &call, Verdict &verdict) const;

    std::vector<Fault> faults_;
    std::optional<std::pair<std::size_t, DiskLoss>> lossAfter_; ///< this many changing calls
    bool isStopped_ = false;
    bool stopThrows_ = false;
    std::size_t all_ = 0;
    std::size_t changing_ = 0;
    std::vector<std::pair<std::string, bool>> lines_; ///< with Call::changes
};

} // namespace keyhold
