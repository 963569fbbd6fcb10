// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "os/temporary_directory.h"
#include "remote/libvirt_fixture.h"
#include "secret_driver/instance.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// Where a session daemon of this process keeps its files: not the user's own directories. GLib
/// looks at the environment once, so it is set before the first test.
[[nodiscard]] const std::string &sessionDirectory();

/// Instances as a daemon has them, below a directory that goes with the test.
class WithInstances : public WithLibvirt {
  protected:
    [[nodiscard]] InstancePaths paths() const {
        return {directory_.path() + "/config/secrets", directory_.path() + "/state",
                directory_.path() + "/config/secret.conf", false};
    }
    [[nodiscard]] std::string lockFile() const { return paths().stateDirectory + "/driver.pid"; }
    /// A new instance, which finds what the one before left.
    [[nodiscard]] std::unique_ptr<Instance> start() {
        return std::make_unique<Instance>(paths(), inhibitor_);
    }

    [[nodiscard]] static Uuid uuidOf(unsigned number);
    [[nodiscard]] static SecretDefinition definitionOf(unsigned number, bool isEphemeral = false);
    static void allow(const SecretDefinition &) {}

    static void define(Instance &instance, const SecretDefinition &definition);
    static void setValue(Instance &instance, unsigned number, const std::string &value);
    static void undefine(Instance &instance, unsigned number);
    /// The value, "none" or "unreadable".
    [[nodiscard]] static std::string valueOf(Instance &instance, unsigned number);

    /// How many more times libvirt was asked to hold than to release.
    [[nodiscard]] int holds() const { return holds_; }

    TemporaryDirectory directory_;

  private:
    static void onInhibit(bool inhibit, void *opaque);

    std::atomic<int> holds_{0};

  protected:
    Inhibitor inhibitor_{onInhibit, &holds_};
};

/// The message of the Error that `call` raises.
template <typename Call>
std::string messageOf(const Call &call) {
    try {
        call();
    } catch (const Error &error) {
        return error.fullText();
    }
    return "no error";
}

/// Lifecycle events of one instance, through a real connection and libvirt's event loop, which goes
/// round in deliver().
class Watch {
  public:
    explicit Watch(Instance &instance);
    ~Watch();
    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;

    /// Lets everything queued so far be delivered.
    static void deliver();
    /// "1 defined", "1 undefined" in their order.
    [[nodiscard]] const std::vector<std::string> &lines() const { return lines_; }

  private:
    static void onEvent(virConnectPtr connection, virSecretPtr secret, int event, int detail,
                        void *opaque);

    Instance &instance_;
    Connection connection_;
    int id_ = -1;
    std::vector<std::string> lines_;
};

} // namespace keyhold
