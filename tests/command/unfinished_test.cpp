// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/unfinished.h"

#include "command/settings_notes.h"
#include "command/store_on_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

class Unfinished : public testing::Test {
  protected:
    /// What is said where the driver reports `driver`; empty if nothing is.
    [[nodiscard]] std::string saidBeside(const DriverReport &driver) const {
        const Target target = store.target();
        const StoreKeys keys = readStoreKeys(target, std::nullopt);
        const DriverView view{ToldState{1, 0, 0, driver}, {}};
        const Inspection inspection =
            inspect(StoreDirectory(posixFileSystem(), store.secrets()), *keys.host.policy);
        const auto found = unfinishedChange(target, view, keys.host, inspection);
        return found ? found->text : "";
    }
    static DriverReport idle() { return {}; }
    static DriverReport atWork() {
        DriverReport report;
        report.isReencrypting = true;
        return report;
    }
    [[nodiscard]] std::string earlierKey(std::uint8_t seed) const {
        return "secrets_decryption_keys = [ \"" + store.keyFile(seed) + "\" ]\n";
    }

    StoreOnDisk store;
};

TEST_F(Unfinished, ARotationIsNotWhileTheDriverIsAtWork) {
    store.addSealed(1, "value", 7);
    std::string current = store.keyLine(8);
    current.insert(current.size() - 1, std::string(" ") + settings_notes::kRotating);
    store.configure(current + earlierKey(7));
    EXPECT_THAT(saidBeside(idle()), HasSubstr("1 value is still under an earlier key"));
    EXPECT_EQ(saidBeside(atWork()), "");
}

TEST_F(Unfinished, NorIsOneThatFailedBefore) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(8) + earlierKey(7));
    EXPECT_EQ(saidBeside(idle()), "");
    DriverReport failed = idle();
    failed.lastReencryption = {1, 0, 1};
    EXPECT_THAT(saidBeside(failed), HasSubstr("the daemon could not re-encrypt them"));
    failed.isReencrypting = true;
    EXPECT_EQ(saidBeside(failed), "");
}

TEST_F(Unfinished, SwitchingOffIsNotWhileTheDriverIsAtWork) {
    store.addSealed(1, "value", 7);
    store.configure(store.keyLine(7) + "encrypt_data = 0 " + settings_notes::kSwitchingOff + "\n");
    EXPECT_THAT(saidBeside(idle()), HasSubstr("1 value is still encrypted"));
    EXPECT_EQ(saidBeside(atWork()), "");
}

} // namespace
} // namespace keyhold::command
