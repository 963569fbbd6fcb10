// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/host_journal.h"

#include "abi/host_log.h"

namespace keyhold {

namespace {

class HostJournal : public Journal {
  public:
    void info(const std::string &text) override { abi::log(abi::LogPriority::info, text.c_str()); }
    void warning(const std::string &text) override {
        abi::log(abi::LogPriority::warning, text.c_str());
    }
    void error(const std::string &text) override {
        abi::log(abi::LogPriority::error, text.c_str());
    }
};

} // namespace

Journal &hostJournal() {
    static auto *const journal = new HostJournal;
    return *journal;
}

} // namespace keyhold
