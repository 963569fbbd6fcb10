// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/output.h"

#include "abi/log_text.h"

#include <iostream>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace keyhold::command {

void tell(std::string_view text) {
    std::cerr << "keyhold: " << abi::oneLine(text) << '\n';
}

void print(std::string_view text) {
    std::cout << abi::oneLine(text) << '\n';
}

void printJson(const Json &json) {
    printJsonAt(json, 0);
    std::cout << '\n';
}

void printJsonAt(const Json &json, std::size_t indent) {
    constexpr unsigned kStep = 2;
    // dump() would make a string of it all, of tens of megabytes for a large store.
    nlohmann::detail::serializer<Json> serializer(nlohmann::detail::output_adapter<char>(std::cout),
                                                  ' ', Json::error_handler_t::replace);
    serializer.dump(json, true, false, kStep, static_cast<unsigned>(indent));
}

bool flushOutput() {
    std::cout.flush();
    return std::cout.good();
}

Progress::Progress(const char *what, std::size_t total)
    : what_(what),
      total_(total),
      isShown_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (isShown_)
        std::cerr << "\r\033[K" << std::flush;
}

void Progress::show(std::size_t done) {
    constexpr auto kInterval = std::chrono::milliseconds(100);
    const auto now = std::chrono::steady_clock::now();
    if (!isShown_ || now - shownAt_ < kInterval)
        return;
    shownAt_ = now;
    std::cerr << '\r' << what_ << ": " << done << " of " << total_ << " values" << std::flush;
}

} // namespace keyhold::command
