// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// A TCP server on the loopback interface that answers nobody and knows whether anybody called.
class Listener {
  public:
    Listener();
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;
    ~Listener();

    /// "http://127.0.0.1:PORT"
    [[nodiscard]] std::string url() const;
    [[nodiscard]] bool wasCalled() const;

  private:
    int socket_;
};

} // namespace keyhold
