// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/audit_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace keyhold {
namespace {

Settings recorded() {
    Settings settings;
    settings.audit = true;
    return settings;
}

InstancePaths pathsOf(bool hasOwnSettings) {
    InstancePaths paths;
    paths.auditFile = "/root/log/audit.jsonl";
    paths.auditKeyFile = "/root/lib/audit-key";
    paths.name = "/root";
    paths.hasOwnSettings = hasOwnSettings;
    return paths;
}

TEST(AuditOptions, AreNoneWithoutTheSetting) {
    EXPECT_FALSE(auditOptions(Settings(), pathsOf(true)));
}

TEST(AuditOptions, AreThoseOfSettingsPathsAndHost) {
    Settings settings = recorded();
    settings.auditSync = false;
    settings.auditOnFailure = AuditOnFailure::refuse;
    const auto options = auditOptions(settings, pathsOf(true));
    ASSERT_TRUE(options);
    EXPECT_EQ("/root/log/audit.jsonl", options->file);
    EXPECT_EQ("/root/lib/audit-key", options->keyFile);
    EXPECT_FALSE(options->isSynced);
    EXPECT_EQ(AuditOnFailure::refuse, options->onFailure);
    EXPECT_EQ("/root", options->source.instance);
    EXPECT_EQ(::getpid(), options->source.pid);
    EXPECT_EQ(32U, options->source.bootId.size());
    EXPECT_FALSE(options->source.host.empty());
}

TEST(AuditOptions, AFileIsNamedByTheInstancesOwnSettingsAlone) {
    Settings settings = recorded();
    settings.auditFile = "/var/log/of/the/system";
    EXPECT_EQ("/var/log/of/the/system", auditFileOf(settings, pathsOf(true)));
    EXPECT_EQ("/root/log/audit.jsonl", auditFileOf(settings, pathsOf(false)));
}

} // namespace
} // namespace keyhold
