// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "definition.h"
#include "observe.h"
#include "process.h"
#include "scenario.h"
#include "transcript.h"

#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

/// A value as a client reads it; `present` is false if the call failed.
struct Value {
    bool present = false;
    std::string bytes = {};
};

/// What a scenario works with: one process, one transcript, the calls of a client. Calls take the
/// key under which their outcome is noted; those that succeed as expected and only prepare
/// something are noted too, so that a failure shows where it happened.
class Phase {
  public:
    Phase(const Scenario &scenario, std::size_t index, const std::string &root);

    [[nodiscard]] const std::string &root() const { return root_; }
    /// A path beside the root that outlives the phase and is not part of the observed tree.
    [[nodiscard]] std::string scratch(const std::string &name) const;
    /// A path in the root's directory of secrets.
    [[nodiscard]] std::string file(const std::string &name) const;
    /// secret:///embed?root=... of the root, or of another directory.
    [[nodiscard]] std::string uri() const { return uriOf(root_); }
    [[nodiscard]] static std::string uriOf(const std::string &root);
    [[nodiscard]] Transcript &transcript() { return transcript_; }
    void note(const std::string &key, const std::string &text) { transcript_.note(key, text); }
    /// Notes `text` whatever its length, between quotes.
    void noteText(const std::string &key, std::string_view text) { note(key, quote(text)); }

    /// Calls libvirt, notes what it returned or the whole error, and returns it.
    template <typename Call>
    auto attempt(const std::string &key, Call call) {
        virResetLastError();
        auto result = call();
        note(key, isFailure(result) ? describeError() : render(result));
        return result;
    }

    /// Opens the root; the connection is the one that the calls below use.
    void open(const std::string &key = "open");
    void close(const std::string &key = "close");
    /// Opens any URI, apart from the one above.
    Connection openUri(const std::string &key, const std::string &uri, unsigned int flags = 0);
    /// Makes another connection the one that the calls below use.
    void use(Connection connection) { connection_ = std::move(connection); }
    [[nodiscard]] virConnectPtr connection() const { return connection_.get(); }

    Secret defineXml(const std::string &key, const std::string &xml, unsigned int flags = 0);
    Secret define(const std::string &key, const Definition &definition, unsigned int flags = 0);
    Secret lookup(const std::string &key, const std::string &uuid);
    Secret lookupByUsage(const std::string &key, int type, const char *id);
    void undefine(const std::string &key, const Secret &secret);
    void dump(const std::string &key, const Secret &secret);
    void setValue(const std::string &key, const Secret &secret, std::string_view value);
    Value getValue(const std::string &key, const Secret &secret);
    /// Defines, sets the value and notes both under one key.
    Secret defineWithValue(const std::string &key, const Definition &definition,
                           std::string_view value);

    /// Notes how many secrets there are, and each with its definition and value.
    void memory(const std::string &key);
    /// Notes the secrets as lists return them, sorted, on one line.
    void list(const std::string &key, unsigned int flags = 0);
    /// Notes all below the root: type, mode, owner, content.
    void disk(const std::string &key);
    /// Notes the files of secrets only, and how many other files are in their directory.
    void secretFiles(const std::string &key);

    /// Whether libvirt's log of this process got an error line since the last call.
    [[nodiscard]] bool errorLogged();

    /// Runs a helper of the scenario to its end and notes how it ended.
    void runHelper(const std::string &key, std::size_t helper);
    /// The arguments that start one.
    [[nodiscard]] std::vector<std::string> helperArguments(std::size_t helper) const;
    /// The file that takes the standard error of helpers; it is noted with the phase's own.
    [[nodiscard]] std::string errorOutput() const { return scratch("stderr"); }

    /// Lets libvirt's event loop deliver all that is due.
    void pumpEvents();

  private:
    const Scenario &scenario_;
    std::string root_;
    Transcript transcript_;
    Connection connection_;
    std::string logPath_;
    std::size_t logSeen_ = 0;
};

} // namespace keyhold
