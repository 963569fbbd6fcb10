// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace keyhold {

/// A text in double quotes with everything but printable ASCII escaped. What is longer than 2000
/// bytes is given as its size, an FNV-1a hash and its first 60 bytes.
[[nodiscard]] std::string quote(std::string_view text);

/// What a process saw: one observation a line, "key: text", written to stdout at once, so that a
/// crash loses nothing. The comparator compares two transcripts key by key.
class Transcript {
  public:
    /// `prefix` is put before each key: the phases of a scenario share one transcript.
    Transcript(std::string root, std::string prefix);

    /// Writes one observation. A key that was used before gets " #2", " #3", ...
    void note(const std::string &key, const std::string &text);

    /// The same text in every run: the root is ROOT, its scratch directory SCRATCH, and a uuid that
    /// the scenario did not choose is "<uuid 1>", "<uuid 2>", ... in the order of appearance.
    [[nodiscard]] std::string normalise(std::string text);

    /// From now on a file of ROOT/etc/secrets whose name is not that of a secret is called TEMP:
    /// the two modules name their temporary files differently.
    void maskTemporaryNames() { maskTemporaryNames_ = true; }

  private:
    void labelUuids(std::string &text);
    static void maskNames(std::string &text);

    std::string root_;
    std::string prefix_;
    std::map<std::string, int> uses_;
    std::map<std::string, std::string> labels_;
    bool maskTemporaryNames_ = false;
};

/// Whether `text` has the canonical form of a uuid (36 characters, lower case).
[[nodiscard]] bool isUuid(std::string_view text);
/// Whether `name` is <uuid>.xml or <uuid>.base64.
[[nodiscard]] bool isSecretFileName(std::string_view name);

} // namespace keyhold
