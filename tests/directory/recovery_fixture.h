// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "directory/directory_backend.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gtest/gtest.h>

#include <string>

namespace keyhold {

inline const Uuid kUuid = uuidNumber(1);
inline const std::string kLeaving =
    layout::valueName(kUuid, ValueFormat::plain, layout::Stage::leaving);
inline const std::string kLeavingDefinition = layout::definitionName(kUuid, layout::Stage::leaving);

inline std::string awaitingFor(const SecretDefinition &definition) {
    return layout::awaitingValueName(kUuid, ValueFormat::plain,
                                     layout::hashOfDefinition(textOf(definition)));
}

inline void redefine(Backend &backend, const SecretDefinition &definition) {
    backend.put(definition.uuid, {.definition = &definition}, Revision(),
                [](auto, const auto &) { return nullptr; });
}

class RecoveryTest : public testing::Test {
  protected:
    RecoveryTest() { bench.fileSystem = &faulty; }

    void putDefinition() { bench.put(xmlName(1), textOf(definitionOf(1))); }

    /// The value file after a start, and that nothing private is left.
    std::string valueAfterStart() {
        bench.openBackend()->start();
        for (const std::string &name : bench.names())
            EXPECT_EQ(std::string::npos, name.find("keyhold")) << name;
        return bench.content(valueName(1)).value_or("no file");
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
};

} // namespace keyhold
