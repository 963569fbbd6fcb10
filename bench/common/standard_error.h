// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"

#include <cstdio>

namespace keyhold::bench {

/// What goes wrong, on standard error.
class StandardError : public AdminLog {
  public:
    void info(const std::string &) override {}
    void notice(const std::string &) override {}
    void warning(const std::string &text) override { error(text); }
    void error(const std::string &text) override { std::fprintf(stderr, "%s\n", text.c_str()); }
};

} // namespace keyhold::bench
