// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"
#include "command/convert.h"
#include "command/keys.h"
#include "command/report.h"
#include "command/secrets.h"
#include "conf/error.h"
#include "config.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>

#include <CLI/CLI.hpp>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

// Set by a signal handler.
volatile std::sig_atomic_t isInterrupted = 0;

void interrupt(int /*number*/) {
    isInterrupted = 1;
}

/// The first signal ends a conversion after the value in hand, a second one the process. What the
/// caller ignores (nohup, a job in the background) stays ignored.
void catchInterrupts() {
    struct sigaction action {};
    action.sa_handler = interrupt;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction inherited {};
        ::sigaction(number, nullptr, &inherited);
        if (inherited.sa_handler != SIG_IGN)
            ::sigaction(number, &action, nullptr);
    }
}

/// The words of the command line, and what they ask for.
class CommandLine {
  public:
    CommandLine() {
        app_.set_version_flag("--version", "keyhold " KEYHOLD_VERSION);
        app_.require_subcommand(1);
        addReport("status", "Show what a store holds, who uses it, and what cannot be read",
                  status);
        addReport("verify", "Read every file of a store; exit with 1 if something is wrong",
                  verify);
        addList();
        addConvert(Purpose::seal, "Seal all values with the current key");
        addConvert(Purpose::rekey, "Seal values of earlier keys with the current key");
        addConvert(Purpose::unseal, "Write all values in plain, as every libvirt reads them");
        addKeys();
    }

    [[nodiscard]] int run(int argc, char **argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError &error) {
            return app_.exit(error) == 0 ? 0 : static_cast<int>(Exit::failure);
        }
        // A daemon of the system has no such directory, and looks for the built-in key elsewhere.
        if (target_.roots.empty() && ::geteuid() == 0)
            ::unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): there is one thread
        return static_cast<int>(work_());
    }

  private:
    void addTarget(CLI::App *of) {
        of->add_flag("--system", target_.wantsSystem, "the secrets of the system's daemon");
        of->add_flag("--session", target_.wantsSession, "the secrets of your session daemon");
        of->add_option("--root", target_.roots, "the secrets of an embedded root")
            ->type_name("DIR")
            ->allow_extra_args(false);
    }

    CLI::App *addCommon(CLI::App *to, const char *name, const char *text) {
        CLI::App *const command = to->add_subcommand(name, text);
        addTarget(command);
        command->add_flag("--json", json_, "print JSON");
        return command;
    }

    void addKeyFiles(CLI::App *to) {
        to->add_option("--key", files_, "one more key file to open values with")
            ->type_name("FILE")
            ->allow_extra_args(false);
    }

    void addReport(const char *name, const char *text, Exit (*work)(const ReportOptions &)) {
        CLI::App *const command = addCommon(&app_, name, text);
        addKeyFiles(command);
        command->callback([this, work] {
            work_ = [this, work] { return work({target_, files_, json_}); };
        });
    }

    void addList() {
        CLI::App *const command = addCommon(&app_, "list", "List secrets, one a line");
        addKeyFiles(command);
        command->callback([this] { work_ = [this] { return list({target_, files_, json_}); }; });
    }

    void addConvert(Purpose purpose, const char *text) {
        CLI::App *const command = addCommon(&app_, purposeName(purpose), text);
        addKeyFiles(command);
        command->callback([this, purpose] {
            work_ = [this, purpose] {
                catchInterrupts();
                return convert(purpose,
                               {target_, files_, json_, [] { return isInterrupted != 0; }});
            };
        });
    }

    CLI::App *addKeyCommand(CLI::App *to, const char *name, const char *text,
                            Exit (*work)(const KeyOptions &)) {
        CLI::App *const command = addCommon(to, name, text);
        command->callback([this, work] {
            work_ = [this, work] { return work({target_, files_, json_}); };
        });
        return command;
    }

    void addKeys() {
        CLI::App *const key = app_.add_subcommand("key", "Make and show keys");
        key->require_subcommand(1);
        addKeyCommand(key, "generate", "Make a new key file; never in the place of another",
                      generateKey)
            ->add_option("FILE", files_, "the file to make (default: the one secret.conf names)")
            ->expected(0, 1);
        addKeyCommand(key, "show-id", "Print the ids of keys", showKeyIds)
            ->add_option("FILE", files_, "key files (default: those secret.conf names)");
        CLI::App *const show =
            key->add_subcommand("export", "Write a sealing key to stdout, for other tools");
        addTarget(show);
        show->add_flag("--jwk", isJwk_, "as a JSON Web Key (RFC 7517)")->required();
        show->add_option("FILE", files_, "the key file (default: the current key)")->expected(0, 1);
        show->callback([this] { work_ = [this] { return exportKey({target_, files_, false}); }; });
    }

    CLI::App app_{"Looks after the secrets of libvirt that Keyhold keeps."};
    TargetChoice target_;
    std::vector<std::string> files_;
    bool json_ = false;
    bool isJwk_ = false;
    std::function<Exit()> work_;
};

void requireLibvirt() {
    // What it has to say comes back as errors of ours.
    ::virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    if (::virInitialize() < 0)
        throw Error(ErrorCode::internal, "libvirt cannot be initialized");
    if (*abi::loadSymbols() != '\0' && abi::symbols().virGetUserConfigDirectory == nullptr)
        throw Error(ErrorCode::internal,
                    "this libvirt has no function " + inQuotes(abi::loadSymbols()));
}

int runGuarded(int argc, char **argv) {
    int exit = static_cast<int>(Exit::failure);
    try {
        // No core dump, and no look into this process by others of the same user.
        ::prctl(PR_SET_DUMPABLE, 0);
        requireLibvirt();
        CommandLine line;
        exit = line.run(argc, argv);
    } catch (const Error &error) {
        tell(error.fullText());
    } catch (const std::exception &exception) {
        tell(exception.what());
    }
    if (!flushOutput()) {
        tell("cannot write the output");
        return static_cast<int>(Exit::failure);
    }
    return exit;
}

} // namespace

} // namespace keyhold::command

int main(int argc, char **argv) {
    return keyhold::command::runGuarded(argc, argv);
}
