// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace keyhold::bench {

/// Time of a piece of work: of the wall, and of all processors that this process used.
class Stopwatch {
  public:
    Stopwatch();
    /// Seconds since it was made.
    [[nodiscard]] double wall() const;
    /// User and system seconds of all threads, ended ones included, since it was made.
    [[nodiscard]] double cpu() const;

  private:
    double wall_;
    double cpu_;
};

/// Bytes of this process that are in memory now.
[[nodiscard]] std::uint64_t residentBytes();
/// The most that have been since the program was started.
[[nodiscard]] std::uint64_t peakResidentBytes();

/// Calls of read(2) and its like that this process has made.
[[nodiscard]] std::uint64_t readCalls();
/// Those of write(2) and its like.
[[nodiscard]] std::uint64_t writeCalls();

/// The processors that this process may use.
[[nodiscard]] unsigned processors();

} // namespace keyhold::bench
