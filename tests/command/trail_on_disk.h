// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "audit/record.h"
#include "os/temporary_directory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// A trail as the driver makes one, line by line, to be written to files as a test wants it.
class TrailOnDisk {
  public:
    /// Sealed from record 1 on with the key of `seed`, unless that is 0.
    explicit TrailOnDisk(std::uint8_t seed = 0);

    /// Adds a record; the first one is "audit-started".
    void add(const audit::Record &record);
    /// Adds `count` reads of a value by the user nova.
    void addReads(std::size_t count);
    /// Adds the record that a file begins with after another was renamed.
    void beginFile();
    /// From the next record on, they are sealed with another key, as after `keyhold audit init`.
    void changeKey(std::uint8_t seed);
    /// Makes the next record as if `count` had been lost before it.
    void jump(std::uint64_t count);

    [[nodiscard]] const audit::Head &head() const { return head_; }
    /// With their newlines; that of record n is the one at n - 1.
    std::vector<std::string> lines;

    /// Writes lines to the file `name`: those from record `first` to `last`, or all.
    void write(const std::string &name = "audit.jsonl", std::size_t first = 1,
               std::size_t last = ~std::size_t{0}) const;
    void writeText(const std::string &name, const std::string &text) const;
    [[nodiscard]] std::string path(const std::string &name = "audit.jsonl") const;

    /// What `keyhold audit init` prints for the key of `seed`.
    [[nodiscard]] static std::string keyText(std::uint64_t sequence, std::uint8_t seed);

    /// A read of a value by the user nova.
    [[nodiscard]] static audit::Record read();
    /// The text of a record and its line, both after `head`, which goes on.
    [[nodiscard]] static std::string lineOf(const audit::Record &record, audit::Head &head,
                                            audit::SealingKey *key);

  private:
    TemporaryDirectory directory_;
    audit::Head head_;
    std::optional<audit::SealingKey> key_;
};

} // namespace keyhold::command
