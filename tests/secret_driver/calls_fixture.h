// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "secret_driver/calls.h"
#include "secret_driver/instance_fixture.h"

#include <functional>
#include <memory>
#include <string>

namespace keyhold {

struct ReleaseHandle {
    /// Not virSecretFree(), which takes the error of the thread away.
    void operator()(virSecretPtr secret) const {
        privateFunction<void(void *)>("virObjectUnref")(secret);
    }
};
using Handle = std::unique_ptr<virSecret, ReleaseHandle>;

/// An instance and a connection of a client, where libvirt's access driver allows everything.
class WithCalls : public WithInstances {
  protected:
    void SetUp() override;
    void TearDown() override;

    /// From now on libvirt refuses every call, with an error of its own.
    static void refuseEverything();
    /// Runs on a thread with the identity of a client of a daemon, or of the daemon itself.
    static void asClient(const std::function<void()> &body);
    static void asDaemon(const std::function<void()> &body);

    [[nodiscard]] static SecretDefinition cephOf(unsigned number);
    /// Definition `number` through a call.
    Handle define(unsigned number, bool isEphemeral = false, bool isPrivate = false);
    /// A handle, whether there is such a secret or not.
    [[nodiscard]] Handle handle(unsigned number) const;
    void set(unsigned number, const std::string &value);
    [[nodiscard]] std::string get(unsigned number);
    [[nodiscard]] std::string valueFile(unsigned number) const;

    /// Of an instance without an audit trail.
    AuditedCall unrecorded_{nullptr};
    std::unique_ptr<Instance> instance_;
    Connection connection_;
};

} // namespace keyhold
