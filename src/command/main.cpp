// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"
#include "command/check.h"
#include "command/convert.h"
#include "command/interrupt.h"
#include "command/report.h"
#include "command/standard_streams.h"
#include "command/words.h"
#include "conf/error.h"
#include "config.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

using namespace std::string_view_literals;

/// The command line, and what it asks for.
class CommandLine {
  public:
    CommandLine() {
        app_.set_version_flag("--version", "keyhold " KEYHOLD_VERSION);
        app_.require_subcommand(1);
        addReport("status", "Show what a store holds, who uses it, and what cannot be read",
                  status);
        addReport("verify", "Read every file of a store; exit with 1 if something is wrong",
                  verify);
        addCheck();
        addSecretWords(&app_, words_);
        addEncryptWords(&app_, words_);
        addConvert(Purpose::seal, "Seal all values with the current key");
        addConvert(Purpose::rekey, "Seal values of earlier keys with the current key");
        addConvert(Purpose::unseal, "Write all values in plain, as every libvirt reads them");
        addKeyWords(&app_, words_);
        addArchiveWords(&app_, words_);
        addAuditWords(&app_, words_);
    }

    [[nodiscard]] int run(int argc, char **argv) {
        requireKnownWords(app_, argc, argv);
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError &error) {
            if (error.get_exit_code() == 0)
                return app_.exit(error);
            throw Error(ErrorCode::invalidArgument, textOfParseError(app_, error));
        }
        // A daemon of the system has no such directory, and looks for the built-in key elsewhere.
        if (words_.target.roots.empty() && ::geteuid() == 0)
            ::unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): there is one thread
        return static_cast<int>(words_.work());
    }

  private:
    void addReport(const char *name, const char *text, Exit (*work)(const ReportOptions &)) {
        CLI::App *const command = addCommand(&app_, words_, name, text);
        addKeyFiles(command, words_);
        addVerbose(command, isVerbose_);
        command->callback([this, work] {
            words_.work = [this, work] {
                return work({words_.target, words_.files, words_.json, isVerbose_});
            };
        });
    }

    static CLI::Option *addVerbose(CLI::App *to, bool &isVerbose) {
        return to->add_flag("--verbose", isVerbose, "print a line for every file, not one a cause");
    }

    void addCheck() {
        CLI::App *const command =
            addCommand(&app_, words_, "check", "Say what is wrong, worst first, for monitoring");
        addKeyFiles(command, words_);
        auto *const nagios =
            command->add_flag("--nagios", isNagios_, "print what a monitoring plugin does");
        auto *const prometheus = command->add_flag("--prometheus", isPrometheus_,
                                                   "print metrics in Prometheus's text format");
        nagios->excludes(prometheus);
        auto *const verbose = addVerbose(command, check_.isVerbose);
        for (CLI::Option *const other : {verbose, command->get_option("--json")}) {
            nagios->excludes(other);
            prometheus->excludes(other);
        }
        command->add_option("--expect-owner", check_.owner, "whose the store should be")
            ->type_name("USER");
        command->add_option("--expect-mode", check_.mode, "the mode its directory should have")
            ->type_name("MODE");
        command->callback([this] {
            check_.form = isNagios_       ? CheckForm::nagios
                          : isPrometheus_ ? CheckForm::prometheus
                          : words_.json   ? CheckForm::json
                                          : CheckForm::text;
            words_.work = [this] {
                check_.target = words_.target;
                check_.keyFiles = words_.files;
                return check(check_);
            };
        });
    }

    void addConvert(Purpose purpose, const char *text) {
        CLI::App *const command = addCommand(&app_, words_, purposeName(purpose), text);
        addKeyFiles(command, words_);
        command->callback([this, purpose] {
            words_.work = [this, purpose] {
                catchInterrupts();
                return convert(purpose, {words_.target, words_.files, words_.json, isInterrupted});
            };
        });
    }

    CLI::App app_{"Inspects and manages the libvirt secrets that Keyhold stores."};
    Words words_;
    CheckOptions check_;
    bool isNagios_ = false;
    bool isPrometheus_ = false;
    bool isVerbose_ = false;
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

/// Where JSON was asked for, it is what comes in any case.
void tellError(const std::string &text, bool wantsJson) {
    if (wantsJson)
        printJson({{"error", {{"text", text}}}});
    else
        tell(text);
}

int runGuarded(int argc, char **argv) {
    // Looked for by itself: what the command line says may be the error.
    const bool wantsJson =
        std::any_of(argv, argv + argc, [](const char *word) { return word == "--json"sv; });
    // To monitoring, a check that did not take place is not a store that is broken.
    const bool isCheck = argc > 1 && argv[1] == "check"sv;
    const int failure = static_cast<int>(isCheck ? Exit::unknown : Exit::failure);
    const auto run = [&] {
        try {
            keepStandardStreams();
            // No core dump, and no look into this process by others of the same user.
            ::prctl(PR_SET_DUMPABLE, 0);
            requireLibvirt();
            CommandLine line;
            return line.run(argc, argv);
        } catch (const Error &error) {
            tellError(error.fullText(), wantsJson);
        } catch (const std::exception &exception) {
            tellError(exception.what(), wantsJson);
        }
        return failure;
    };
    const int exit = run();
    if (!flushOutput()) {
        tell("cannot write the output");
        return failure;
    }
    return exit;
}

} // namespace

} // namespace keyhold::command

int main(int argc, char **argv) {
    return keyhold::command::runGuarded(argc, argv);
}
