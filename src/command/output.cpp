// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/output.h"

#include "abi/log_text.h"

#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// Of the environment; empty if it is not there.
std::string_view variable(const char *name) {
    const char *const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nothing sets it
    return value ? value : "";
}

bool hasColours() {
    static const bool has = [] {
        const std::string_view terminal = variable("TERM");
        return variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb" &&
               ::isatty(STDOUT_FILENO) == 1;
    }();
    return has;
}

const char *sequenceOf(Colour colour) noexcept {
    switch (colour) {
    case Colour::green:
        return "\033[32m";
    case Colour::yellow:
        return "\033[33m";
    case Colour::red:
        return "\033[31m";
    }
    return "";
}

} // namespace

void tell(std::string_view text) {
    std::cerr << "keyhold: " << abi::oneLine(text) << '\n';
}

std::string counted(std::size_t count, const char *what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void print(std::string_view text) {
    std::cout << abi::oneLine(text) << '\n';
}

void printColoured(std::string_view before, std::string_view word, Colour colour,
                   std::string_view after) {
    std::cout << abi::oneLine(before);
    if (hasColours())
        std::cout << sequenceOf(colour) << word << "\033[0m";
    else
        std::cout << word;
    std::cout << abi::oneLine(after) << '\n';
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
