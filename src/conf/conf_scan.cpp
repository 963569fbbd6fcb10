// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/conf_scan.h"

#include <algorithm>

namespace keyhold {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineEnds = "\r\n";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "abcdefghijklmnopqrstuvwxyz"
                                             "0123456789_";

class Scanner {
  public:
    explicit Scanner(std::string_view text) : size_(text.size()), rest_(text) {}

    /// False at the end of what can be understood.
    bool next(ConfStatement &statement) {
        for (skip(" \t\r\n;"); at('#'); skip(" \t\r\n;"))
            toLineEnd();
        statement = {};
        statement.line = line_;
        statement.begin = position();
        statement.name = take(kNameCharacters);
        skip(kBlanks);
        if (statement.name.empty() || !taken("="))
            return false;
        skip(kBlanks);
        statement.valueBegin = position();
        if (!value(statement))
            return false;
        statement.end = position();
        return true;
    }

  private:
    [[nodiscard]] std::size_t position() const { return size_ - rest_.size(); }
    [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_.front() == c; }

    void drop(std::size_t count) {
        const std::string_view gone = rest_.substr(0, count);
        line_ += static_cast<unsigned>(std::ranges::count(gone, '\n'));
        rest_.remove_prefix(gone.size());
    }
    bool taken(std::string_view word) {
        if (!rest_.starts_with(word))
            return false;
        drop(word.size());
        return true;
    }
    void skip(std::string_view characters) { take(characters); }
    std::string_view take(std::string_view characters) {
        const std::string_view found = rest_.substr(0, rest_.find_first_not_of(characters));
        drop(found.size());
        return found;
    }
    void toLineEnd() { drop(std::min(rest_.find_first_of(kLineEnds), rest_.size())); }

    /// What is up to `end`, which is taken too; nothing if it is not there.
    std::optional<std::string> upTo(std::string_view end) {
        const std::size_t size = rest_.find(end);
        if (size == std::string_view::npos)
            return std::nullopt;
        std::string text(rest_.substr(0, size));
        drop(size + end.size());
        return text;
    }

    std::optional<std::string> string() {
        for (const char *quote : {"\"\"\"", "\"", "'"})
            if (taken(quote))
                return upTo(quote);
        return std::nullopt;
    }

    bool value(ConfStatement &statement) {
        skip(kBlanks);
        if (at('"') || at('\''))
            return (statement.text = string()).has_value();
        if (taken("["))
            return list(statement.list.emplace());
        if (at('+') || at('-')) {
            statement.number = rest_.front();
            drop(1);
        }
        const std::string_view digits = take(kDigits);
        statement.number += digits;
        return !digits.empty();
    }

    bool list(std::vector<std::optional<std::string>> &entries) {
        for (skip(" \t\r\n,"); !taken("]"); skip(" \t\r\n,")) {
            if (at('"') || at('\'')) {
                entries.push_back(string());
                if (!entries.back())
                    return false;
                continue;
            }
            ConfStatement other;
            if (!value(other))
                return false;
            entries.emplace_back();
        }
        return true;
    }

    const std::size_t size_;
    std::string_view rest_;
    unsigned line_ = 1;
};

} // namespace

std::vector<ConfStatement> scanConf(std::string_view text) {
    std::vector<ConfStatement> statements;
    Scanner scanner(text);
    for (ConfStatement statement; scanner.next(statement);)
        statements.push_back(statement);
    return statements;
}

const ConfStatement *findStatement(const std::vector<ConfStatement> &statements,
                                   std::string_view name) {
    const auto found = std::ranges::find(statements, name, &ConfStatement::name);
    return found == statements.end() ? nullptr : &*found;
}

} // namespace keyhold
