// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "os/temporary_directory.h"
#include "seal/sealing_policy.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace keyhold {

/// The directory of a store on a real disk, in an embedded root that goes at the end.
class StoreFiles {
  public:
    StoreFiles();

    [[nodiscard]] const std::string &root() const { return root_.path(); }
    [[nodiscard]] std::string secrets() const { return root() + "/etc/secrets"; }

    /// Names are relative to the directory of the secrets; files get mode 0600.
    void put(const std::string &name, const std::string &content) const;
    [[nodiscard]] std::map<std::string, std::string> files() const;

    static Uuid uuid(int n);
    /// `U.xml`, `U.base64` and so on.
    static std::string nameOf(int n, const std::string &suffix);
    /// Definition n, with a use of its own.
    void define(int n) const;
    /// Definition n and its value, plain or sealed with the key `key` of policyOf().
    void addPlain(int n, const std::string &value) const;
    void addSealed(int n, const std::string &value, std::uint8_t key) const;

  private:
    TemporaryDirectory root_;
};

/// Writes a file of mode 0600.
void writePrivateFile(const std::string &path, const std::string &content);

/// Keys of 32 equal bytes: `seed` seals if it is not 0; the others open.
[[nodiscard]] std::shared_ptr<const SealingPolicy>
policyOf(std::uint8_t seed, const std::vector<std::uint8_t> &earlier = {},
         SealingPolicy::Rules rules = {});
[[nodiscard]] std::string keyIdOf(std::uint8_t seed);

} // namespace keyhold
