// SPDX-License-Identifier: LGPL-2.1-or-later
// What a start makes of the files it finds.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "os/temporary_directory.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <new>

#include <sched.h>

namespace keyhold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A directory that lists its files in the opposite order, and has no memory for one of them.
class OtherBackend : public Backend {
  public:
    explicit OtherBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}

    std::optional<Uuid> tooLarge;

    [[nodiscard]] std::string place() const override { return inner_->place(); }
    [[nodiscard]] std::string placeOf(const Uuid &uuid) const override {
        return inner_->placeOf(uuid);
    }
    [[nodiscard]] std::string placeOf(const Uuid &uuid, ValueFormat format) const override {
        return inner_->placeOf(uuid, format);
    }
    [[nodiscard]] RevisionKind revisionKind() const noexcept override {
        return inner_->revisionKind();
    }
    std::vector<ListedSecret> start() override { return reversed(inner_->start()); }
    [[nodiscard]] std::vector<ListedSecret> list(Strays strays) override {
        return reversed(inner_->list(strays));
    }
    [[nodiscard]] std::optional<StoredSecret> get(const ListedSecret &secret,
                                                  const ValueReader &reader) override {
        if (secret.uuid == tooLarge)
            throw std::bad_alloc();
        return inner_->get(secret, reader);
    }
    [[nodiscard]] std::optional<StoredValue> getValue(const ListedSecret &secret,
                                                      const ValueReader &reader) override {
        return inner_->getValue(secret, reader);
    }
    [[nodiscard]] Revision revisionOf(const ListedSecret &secret) override {
        return inner_->revisionOf(secret);
    }
    Revision put(const Uuid &uuid, const SecretChange &change, std::optional<Revision> seen,
                 const FormerJudge &judge) override {
        return inner_->put(uuid, change, seen, judge);
    }
    void erase(const Uuid &uuid, Revision seen) override { inner_->erase(uuid, seen); }

  private:
    static std::vector<ListedSecret> reversed(std::vector<ListedSecret> secrets) {
        std::reverse(secrets.begin(), secrets.end());
        return secrets;
    }

    std::unique_ptr<Backend> inner_;
};

/// One processor for as long as this lives; threads started until then have it too.
class OneProcessor {
  public:
    OneProcessor() {
        sched_getaffinity(0, sizeof(before_), &before_);
        int first = 0;
        while (!CPU_ISSET(first, &before_))
            ++first;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        EXPECT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
    }
    ~OneProcessor() { sched_setaffinity(0, sizeof(before_), &before_); }
    OneProcessor(const OneProcessor &) = delete;
    OneProcessor &operator=(const OneProcessor &) = delete;

  private:
    cpu_set_t before_;
};

class LoadingTest : public testing::Test {
  protected:
    LoadingTest() { bench.fileSystem = &faulty; }

    void put(const SecretDefinition &definition) {
        bench.put(layout::definitionName(definition.uuid), textOf(definition));
    }
    void put(const SecretDefinition &definition, const std::string &value) {
        put(definition);
        bench.put(layout::valueName(definition.uuid, ValueFormat::plain), base64(value));
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
};

TEST_F(LoadingTest, AnEmptyDirectoryIsAnEmptyStore) {
    EXPECT_THAT(bench.start()->all(), IsEmpty());
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(LoadingTest, ALoadTellsNobodyOfChangesAndWritesNothing) {
    put(definitionOf(1, "one"), "value");
    put(ephemeral(definitionOf(2)));
    bench.disk.clearTrace();
    const auto store = bench.start();
    EXPECT_TRUE(store->hasEphemeral());
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    EXPECT_THAT(bench.disk.trace(), ElementsAre("sync /store"));
    EXPECT_EQ(1U, bench.disk.openDescriptors());
}

TEST_F(LoadingTest, OneBadFileHidesNoGoodOne) {
    put(definitionOf(1, "one"), "value");
    bench.put(xmlName(2), "garbage");
    bench.put(xmlName(3), "");
    bench.put(xmlName(4), textOf(definitionOf(1, "one")));
    bench.put(xmlName(5), "<secret><usage type='bogus'/></secret>");
    bench.disk.putDirectory(bench.path(xmlName(6)));
    bench.disk.putFifo(bench.path(xmlName(7)));
    bench.disk.putDanglingLink(bench.path(xmlName(8)));
    put(definitionOf(9, "nine"), "value");
    faulty.fail(Operation::open, xmlName(9), EACCES);
    bench.put("misnamed.xml", textOf(definitionOf(10)));
    put(definitionOf(11, "eleven"));

    const auto store = bench.start();
    EXPECT_THAT(stateOf(*store),
                UnorderedElementsAre(testing::Key(uuidNumber(1)), testing::Key(uuidNumber(11))));
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    EXPECT_EQ(9U, bench.log.lines().size());
    for (const std::string &line : bench.log.lines())
        EXPECT_THAT(line, testing::StartsWith("error: Error reading secret: "));
    for (const std::string &name : {xmlName(2), xmlName(3), xmlName(4), xmlName(6), xmlName(7),
                                    xmlName(8), xmlName(9), std::string("misnamed.xml")})
        EXPECT_TRUE(bench.log.mentions(name)) << name;
}

TEST_F(LoadingTest, ABadValueHidesItsSecretFromNobody) {
    put(definitionOf(1, "one"));
    bench.put(valueName(1), "damaged");
    put(definitionOf(2, "two"));
    bench.disk.putFifo(bench.path(valueName(2)));
    put(definitionOf(3, "three"), "value");
    const auto store = bench.start();
    EXPECT_EQ("unreadable", stateOf(*store, 1).value);
    EXPECT_EQ("unreadable", stateOf(*store, 2).value);
    EXPECT_EQ("=value", stateOf(*store, 3).value);
    EXPECT_THAT(bench.log.lines(),
                UnorderedElementsAre(AllOf(HasSubstr("error: secret '" + uuidNumber(1).toString() +
                                                     "' is served without its value: "),
                                           HasSubstr(bench.path(valueName(1)))),
                                     AllOf(HasSubstr("error: secret '" + uuidNumber(2).toString() +
                                                     "' is served without its value: "),
                                           HasSubstr(bench.path(valueName(2))))));
}

TEST_F(LoadingTest, OfTwoFilesWithOneUseTheFirstInTheOrderOfTheDirectoryWins) {
    put(definitionOf(1, "one"), "first");
    put(definitionOf(2, "one"), "second");
    EXPECT_THAT(bench.stateAfterStart(), ElementsAre(testing::Key(uuidNumber(1))));
    EXPECT_THAT(bench.log.lines(),
                ElementsAre("error: Error reading secret: a secret with UUID " +
                            uuidNumber(1).toString() + " already defined for use with one; '" +
                            bench.path(xmlName(1)) + "' counts, and '" + bench.path(xmlName(2)) +
                            "' is not loaded; give it another use or remove it, and reload"));

    SecretStore other(std::make_shared<OtherBackend>(bench.openBackend()), bench.policy, bench.log);
    other.load();
    EXPECT_THAT(stateOf(other), ElementsAre(testing::Key(uuidNumber(2))));
    EXPECT_EQ(4U, bench.names().size());
}

TEST_F(LoadingTest, TheSecretThatLostItsUseCanBeDefinedForAnotherButKeepsNoValueOfThatUse) {
    put(definitionOf(1, "one"), "first");
    put(definitionOf(2, "one"), "second");
    const auto store = bench.start();
    EXPECT_THROW(store->define(definitionOf(2, "one"), allow), Error);
    store->define(definitionOf(2, "two"), allow);
    EXPECT_EQ("none", stateOf(*store, 2).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
    EXPECT_EQ(base64("second"), bench.content(valueName(2) + ".aside-1"));
}

TEST_F(LoadingTest, NoMemoryForOneSecretCostsThatOne) {
    put(definitionOf(1, "one"), "first");
    put(definitionOf(2, "two"), "second");
    auto backend = std::make_shared<OtherBackend>(bench.openBackend());
    backend->tooLarge = uuidNumber(1);
    SecretStore store(backend, bench.policy, bench.log);
    store.load();
    EXPECT_THAT(stateOf(store), ElementsAre(testing::Key(uuidNumber(2))));
    EXPECT_TRUE(bench.log.mentions("no memory for secret '" + uuidNumber(1).toString() + "'"));
}

TEST_F(LoadingTest, OnOneProcessorTheResultIsTheSame) {
    for (int n = 0; n < 600; ++n) {
        switch (n % 7) {
        case 0:
            put(definitionOf(n, "use " + std::to_string(n / 14))); // every second is taken
            break;
        case 1:
            bench.put(xmlName(n), "garbage");
            break;
        case 2:
            put(definitionOf(n));
            bench.put(valueName(n), "damaged");
            break;
        default:
            put(definitionOf(n, "only " + std::to_string(n)), "value " + std::to_string(n));
        }
    }
    const auto load = [&] {
        StoreBench here;
        for (const std::string &name : bench.names())
            here.put(name, *bench.content(name));
        auto state = here.stateAfterStart();
        auto lines = here.log.lines();
        std::sort(lines.begin(), lines.end());
        return std::pair(std::move(state), std::move(lines));
    };
    const auto onAll = load();
    const OneProcessor one;
    const auto onOne = load();
    EXPECT_EQ(onAll.first, onOne.first);
    EXPECT_EQ(onAll.second, onOne.second);
    EXPECT_GT(onAll.first.size(), 400U);
}

TEST(LoadingFromTheKernelTest, FiveThousandSecretsAreReadOnceEachAndFoundByTheirUse) {
    constexpr int kCount = 5000;
    const TemporaryDirectory temporary;
    const auto put = [&](const std::string &name, const std::string &content) {
        std::ofstream(temporary.path() + "/" + name) << content;
    };
    for (int n = 0; n < kCount; ++n) {
        put(xmlName(n), textOf(definitionOf(n, "use " + std::to_string(n))));
        put(valueName(n), base64("value " + std::to_string(n)));
    }
    FaultyFileSystem counting(posixFileSystem());
    RecordingAdminLog log;
    SecretStore store(std::make_shared<DirectoryBackend>(
                          std::make_unique<StoreDirectory>(counting, temporary.path()), log),
                      std::make_shared<CurrentPolicy>(), log);
    store.load();
    ASSERT_EQ(std::size_t{kCount}, store.all().size());
    EXPECT_EQ(std::size_t{2 * kCount}, counting.count(Operation::open));
    EXPECT_EQ(std::size_t{1}, counting.count(Operation::list));
    EXPECT_EQ(std::size_t{2 * kCount}, counting.count(Operation::read));
    EXPECT_EQ(std::size_t{0}, counting.count(Operation::exists));
    for (int n = 0; n < kCount; ++n) {
        const auto record = store.get(Usage{UsageType::ceph, "use " + std::to_string(n)});
        ASSERT_EQ(uuidNumber(n), record->definition.uuid);
        ASSERT_EQ("=value " + std::to_string(n), stateOf(*record).value);
    }
    EXPECT_THAT(log.lines(), IsEmpty());
    EXPECT_EQ(1U, counting.openDescriptors());
}

} // namespace
} // namespace keyhold
