// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/output.h"

#include <iostream>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace keyhold::command {

std::string printable(std::string_view text) {
    std::string out(text);
    for (char &character : out) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte == 0x7f)
            character = byte == '\n' ? ' ' : '?';
    }
    return out;
}

void tell(std::string_view text) {
    std::cerr << "keyhold: " << printable(text) << '\n';
}

void print(std::string_view text) {
    std::cout << printable(text) << '\n';
}

void printJson(const Json &json) {
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
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
