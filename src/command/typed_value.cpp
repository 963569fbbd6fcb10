// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/typed_value.h"

#include "command/output.h"
#include "conf/error.h"
#include "seal/scratch.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

void wake(int /*number*/) {}

/// The terminal shows nothing, and gives each byte as it is typed. A signal that would end the
/// process ends a read instead.
class SilentTerminal {
  public:
    SilentTerminal() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0)
            throw Error(ErrorCode::systemCall, "cannot ask on this terminal", errno);
        sigset_t numbers;
        ::sigemptyset(&numbers);
        for (const int number : kNumbers)
            ::sigaddset(&numbers, number);
        // One that comes between the prompt and the wait must not be lost.
        ::pthread_sigmask(SIG_BLOCK, &numbers, &mask_);
        struct sigaction action {};
        action.sa_handler = wake;
        for (std::size_t i = 0; i < std::size(kNumbers); ++i) {
            ::sigaction(kNumbers[i], nullptr, &actions_[i]);
            if (actions_[i].sa_handler != SIG_IGN)
                ::sigaction(kNumbers[i], &action, nullptr);
        }
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
        silent.c_iflag |= ICRNL;
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        // What was typed before the prompt was not meant for it.
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~SilentTerminal() {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        for (std::size_t i = 0; i < std::size(kNumbers); ++i)
            ::sigaction(kNumbers[i], &actions_[i], nullptr);
        ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    }
    SilentTerminal(const SilentTerminal &) = delete;
    SilentTerminal &operator=(const SilentTerminal &) = delete;

    [[nodiscard]] TypedLine::Keys keys() const {
        return {before_.c_cc[VERASE], before_.c_cc[VKILL], before_.c_cc[VEOF], before_.c_cc[VINTR]};
    }

    /// False if a signal came.
    [[nodiscard]] bool waitForByte() const {
        pollfd entry{STDIN_FILENO, POLLIN, 0};
        return ::ppoll(&entry, 1, nullptr, &mask_) > 0;
    }

  private:
    static constexpr int kNumbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    termios before_{};
    sigset_t mask_{};
    struct sigaction actions_[std::size(kNumbers)]{};
};

std::size_t typeLine(const SilentTerminal &terminal, const char *prompt,
                     std::span<std::uint8_t> into) {
    std::cerr << prompt << std::flush;
    TypedLine line(into, terminal.keys());
    auto state = TypedLine::State::open;
    while (state == TypedLine::State::open) {
        Scratch byte(1);
        const ssize_t got =
            terminal.waitForByte() ? ::read(STDIN_FILENO, byte.bytes().data(), 1) : -1;
        if (got == 1)
            state = line.take(byte.bytes().front());
        else // the terminal has gone, or a signal came
            state = TypedLine::State::interrupted;
    }
    std::cerr << '\n';
    if (state == TypedLine::State::interrupted)
        throw Error(ErrorCode::invalidArgument, "interrupted; nothing was set");
    if (state == TypedLine::State::full)
        throw Error(ErrorCode::invalidArgument, "the value is longer than " +
                                                    std::to_string(into.size()) +
                                                    " bytes; nothing was set");
    return line.size();
}

} // namespace

TypedLine::State TypedLine::take(std::uint8_t byte) {
    if (byte == '\n' || byte == '\r' || byte == keys_.end)
        return State::complete;
    if (byte == keys_.interrupt)
        return State::interrupted;
    if (byte == keys_.erase || byte == '\b') {
        eraseCharacter();
        return State::open;
    }
    if (byte == keys_.kill) {
        size_ = 0;
        return State::open;
    }
    if (size_ == into_.size())
        return State::full;
    into_[size_++] = byte;
    return State::open;
}

void TypedLine::eraseCharacter() {
    constexpr unsigned kContinues = 0x80; // of UTF-8: 10xxxxxx
    while (size_ > 0 && (into_[size_ - 1] & 0xC0U) == kContinues)
        --size_;
    if (size_ > 0)
        --size_;
}

std::size_t typeValue(std::span<std::uint8_t> into) {
    const SilentTerminal terminal;
    const std::size_t size = typeLine(terminal, "Value: ", into);
    Scratch again(into.size());
    const std::size_t sizeAgain = typeLine(terminal, "The same again: ", again.bytes());
    if (!std::ranges::equal(into.first(size), again.bytes().first(sizeAgain)))
        throw Error(ErrorCode::invalidArgument, "the two differ; nothing was set");
    return size;
}

} // namespace keyhold::command
