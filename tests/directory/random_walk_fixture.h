// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/store_fixture.h"

#include <functional>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace keyhold {

/// A walk of random steps over one secret: changes, some with failed calls and some during which
/// the process is killed or power is lost, under rules for values at rest that differ from step to
/// step, and files that other people write. Each step begins with what those before left on the
/// disk. The parameter is the seed.
class RandomWalkTest : public testing::TestWithParam<unsigned> {
  protected:
    RandomWalkTest();

    /// Takes one step and checks what the store, or the one that is started after it, holds.
    void takeStep();

    bool diskMayFail_ = false; ///< some processes end because the disk below them is gone

  private:
    struct Change {
        std::string name;
        StoreState after; ///< what the store holds once it is made
        std::function<void()> make;
    };
    enum class Outcome { acknowledged, failed, rollbackFailed };

    /// 0 to count - 1.
    unsigned pick(unsigned count) { return static_cast<unsigned>(rng_() % count); }
    bool oneIn(unsigned count) { return pick(count) == 0; }
    std::string freshText(const std::string &prefix);

    Change randomChange();
    Change define();
    Change setValue(const std::string &value);
    Outcome make(const Change &change);

    void makeUndisturbed(const Change &change);
    void makeWithFailedCalls(const Change &change);
    void makeUntilTheProcessEnds(const Change &change);
    void makeUntilTheDiskIsGone(const Change &change);
    void goOnAfter(const Change &change, Outcome outcome);
    void putValueFile();

    void failCall(std::size_t k);
    void endProcess();
    void crash(bool losesPower);
    void restart();
    /// A start would find the same at this moment; the walk goes on with the store as it is.
    void expectDurable();
    /// Private names are gone, and no value is there without a definition. Quarantined files stay.
    void expectClean();

    [[nodiscard]] bool isDefined() const { return !now_.empty(); }
    void log(const std::string &text) { log_ += text + "\n"; }
    /// For failures: the seed, the steps until now, and what is on the disk.
    [[nodiscard]] std::string story() const;

    std::mt19937_64 rng_;
    StoreBench bench_;
    std::unique_ptr<SecretStore> store_;
    StoreState now_; ///< what the store holds
    unsigned texts_ = 0;
    std::string log_;
};

/// For the names of tests.
std::string nameOfWalk(const testing::TestParamInfo<unsigned> &info);

} // namespace keyhold
