// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "threads/client.h"

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace keyhold {

/// What many clients do at once to few secrets: define, redefine as ephemeral and back or for
/// another type of use, set, get, list, look up, undefine. What each call finds is left to chance;
/// what it returns must make sense whatever the others do.
class MixedWork {
  public:
    /// Secrets 1 to kSecrets are worked on; the last two want the same use, so only one of them can
    /// be.
    static constexpr unsigned kSecrets = 5;

    /// Does `rounds` random things on `connection`; every thread has another `seed`.
    void run(virConnectPtr connection, unsigned seed, unsigned rounds);

    /// What no client should have met, each text once.
    [[nodiscard]] std::set<std::string> unexpected() const;
    /// How often each kind of call succeeded: a run in which one never did shows nothing.
    [[nodiscard]] std::map<std::string, unsigned> successes() const;

  private:
    class Worker;
    void addUnexpected(const std::string &text);
    void addSuccesses(const std::map<std::string, unsigned> &counts);

    mutable std::mutex mutex_; // of all below
    std::set<std::string> unexpected_;
    std::map<std::string, unsigned> successes_;
};

} // namespace keyhold
