// SPDX-License-Identifier: LGPL-2.1-or-later
// What every Backend does. One that is to keep this has only to be named in `kMakers` of
// backend_makers.cpp.
#include "store/backend.h"

#include "conf/bytes.h"
#include "conf/raised.h"
#include "store/backend_makers.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <thread>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<Maker> exactMakers() {
    std::vector<Maker> out;
    std::ranges::copy_if(backendMakers(), std::back_inserter(out), &Maker::isExact);
    return out;
}

std::string nameOfMaker(const testing::TestParamInfo<Maker> &info) {
    return info.param.name;
}

const char *letGo(ValueFormat, const std::function<void(const ValueReader &)> &) {
    return nullptr;
}

/// What a reader sees: "none", or each format and text.
struct Seen {
    std::optional<SecretDefinition> definition;
    std::string value = "none";
    StoredValue stored;
};

class BackendContractTest : public testing::TestWithParam<Maker> {
  protected:
    static Seen get(Backend &backend, int n = 1, ValueFormats formats = kAllForms) {
        Seen seen;
        const auto stored = backend.get({uuidNumber(n), formats}, [&](const EncodedValue &encoded) {
            seen.value = std::string(valueFormatName(encoded.format)) + " " +
                         std::string(encoded.bytes.begin(), encoded.bytes.end());
            return true;
        });
        if (stored) {
            seen.definition = stored->definition;
            seen.stored = stored->value;
        }
        return seen;
    }
    static std::string valueOf(Backend &backend, int n = 1) { return get(backend, n).value; }
    static Revision revisionOf(Backend &backend, int n = 1) {
        return get(backend, n).stored.revision;
    }

    /// Stores a new secret; `text` is its value in the format, or null.
    static Revision create(Backend &backend, const SecretDefinition &definition,
                           const char *text = nullptr, ValueFormat format = ValueFormat::plain) {
        SecretChange change{&definition};
        const std::string encoded = text ? text : "";
        if (text)
            change.value = EncodedValue{format, bytes(encoded)};
        return backend.put(definition.uuid, change, std::nullopt, letGo);
    }
    static Revision set(Backend &backend, int n, const std::string &text, Revision seen,
                        const FormerJudge &judge = letGo) {
        const SecretChange change{.value = EncodedValue{ValueFormat::plain, bytes(text)}};
        return backend.put(uuidNumber(n), change, seen, judge);
    }
    static Revision redefine(Backend &backend, const SecretDefinition &definition, Revision seen) {
        return backend.put(definition.uuid, {.definition = &definition}, seen, letGo);
    }
    static Revision removeValue(Backend &backend, int n, Revision seen,
                                const FormerJudge &judge = letGo) {
        return backend.put(uuidNumber(n), {.removesValue = true}, seen, judge);
    }

    std::unique_ptr<Subject> subject = GetParam().make();
    std::unique_ptr<Backend> backend = subject->open();
};

TEST_P(BackendContractTest, AnEmptyPlaceHasNoSecrets) {
    EXPECT_THAT(backend->start(), IsEmpty());
    EXPECT_THAT(backend->list(Strays::told), IsEmpty());
    EXPECT_FALSE(get(*backend).definition);
    EXPECT_FALSE(backend->getValue({uuidNumber(1), kAllForms}, [](auto &) { return true; }));
    EXPECT_FALSE(backend->place().empty());
}

TEST_P(BackendContractTest, WhatIsPutIsThereForAllWhoCome) {
    create(*backend, definitionOf(1, "one"), "b25l");
    create(*backend, definitionOf(2, "two"));
    const auto other = subject->open();
    for (Backend *const each : {backend.get(), other.get()}) {
        const auto listed = each == other.get() ? each->start() : each->list(Strays::told);
        EXPECT_THAT(uuidsOf(listed), UnorderedElementsAre(uuidNumber(1), uuidNumber(2)));
        for (const ListedSecret &secret : listed) {
            const bool hasValue = secret.uuid == uuidNumber(1);
            EXPECT_EQ(secret.forms, hasValue ? only(ValueFormat::plain) : 0);
        }
        EXPECT_EQ(get(*each, 1).definition, definitionOf(1, "one"));
        EXPECT_EQ(valueOf(*each, 1), "base64 b25l");
        EXPECT_EQ(get(*each, 1).stored.format, ValueFormat::plain);
        EXPECT_EQ(get(*each, 1).stored.present, only(ValueFormat::plain));
        EXPECT_EQ(get(*each, 2).definition, definitionOf(2, "two"));
        EXPECT_FALSE(get(*each, 2).stored.isThere());
    }
}

TEST_P(BackendContractTest, ARedefinitionLeavesTheBytesOfTheValue) {
    // One that nobody can open.
    create(*backend, definitionOf(1, "one"), "its key is lost", ValueFormat::jwe);
    redefine(*backend, described(definitionOf(1, "one"), "text"), revisionOf(*backend));
    EXPECT_EQ(get(*backend).definition, described(definitionOf(1, "one"), "text"));
    EXPECT_EQ(valueOf(*backend), "jwe its key is lost");
    EXPECT_THAT(subject->kept(), IsEmpty());
}

TEST_P(BackendContractTest, AValueIsReplacedAndRemovedAndLeavesTheDefinition) {
    create(*backend, described(definitionOf(1), "text"), "b2xk", ValueFormat::jwe);
    set(*backend, 1, "bmV3", revisionOf(*backend));
    EXPECT_EQ(valueOf(*backend), "base64 bmV3");
    EXPECT_EQ(get(*backend).stored.present, only(ValueFormat::plain));
    removeValue(*backend, 1, revisionOf(*backend));
    EXPECT_EQ(valueOf(*backend), "none");
    removeValue(*backend, 1, revisionOf(*backend));
    EXPECT_EQ(get(*backend).definition, described(definitionOf(1), "text"));
    EXPECT_THAT(subject->kept(), IsEmpty());
}

TEST_P(BackendContractTest, ASecretIsErasedWithItsValue) {
    create(*backend, definitionOf(1), "b25l");
    create(*backend, definitionOf(2), "dHdv");
    backend->erase(uuidNumber(1), revisionOf(*backend));
    EXPECT_THAT(uuidsOf(backend->list(Strays::told)), ElementsAre(uuidNumber(2)));
    EXPECT_FALSE(get(*backend).definition);
    backend->erase(uuidNumber(1), {}); // that is gone
    create(*backend, definitionOf(1));
    EXPECT_EQ(valueOf(*backend), "none");
}

TEST_P(BackendContractTest, AReaderSaysWhatIsAValue) {
    create(*backend, definitionOf(1), "blank");
    const auto stored =
        backend->get({uuidNumber(1), kAllForms}, [](const EncodedValue &) { return false; });
    EXPECT_FALSE(stored->value.isThere());
    EXPECT_EQ(stored->value.present, only(ValueFormat::plain));
}

TEST_P(BackendContractTest, WhatAReaderRaisesIsWhyThereIsNoValue) {
    create(*backend, definitionOf(1), "text", ValueFormat::jwe);
    const ValueReader refuse = [](const EncodedValue &) -> bool {
        throw Error(ErrorCode::invalidEncryptionKey, "is under another key");
    };
    const auto stored = backend->get({uuidNumber(1), kAllForms}, refuse);
    const auto alone = backend->getValue({uuidNumber(1), kAllForms}, refuse);
    for (const StoredValue &value : {stored->value, *alone}) {
        EXPECT_EQ(value.format, ValueFormat::jwe);
        ASSERT_TRUE(value.unreadable);
        EXPECT_EQ(value.unreadable->code(), ErrorCode::invalidEncryptionKey);
        EXPECT_THAT(value.unreadable->message(), HasSubstr(uuidNumber(1).toString()));
        EXPECT_THAT(value.unreadable->message(), HasSubstr("is under another key"));
    }
}

TEST_P(BackendContractTest, OnlyTheFormatsThatAreAskedForAreLookedAt) {
    create(*backend, definitionOf(1), "text", ValueFormat::jwe);
    EXPECT_EQ(get(*backend, 1, only(ValueFormat::plain)).value, "none");
    EXPECT_EQ(get(*backend, 1, 0).value, "none");
    EXPECT_EQ(get(*backend, 1, only(ValueFormat::jwe)).value, "jwe text");
}

TEST_P(BackendContractTest, ARevisionIsThatOfTheStateThatWasRead) {
    create(*backend, definitionOf(1), "b25l");
    const Revision read = revisionOf(*backend);
    EXPECT_FALSE(read.differsFrom(backend->revisionOf({uuidNumber(1), kAllForms})));
    EXPECT_FALSE(read.differsFrom(revisionOf(*backend)));
    set(*subject->open(), 1, "dHdv", read);
    EXPECT_TRUE(read.differsFrom(backend->revisionOf({uuidNumber(1), kAllForms})));
    EXPECT_TRUE(read.differsFrom(revisionOf(*backend)));
    EXPECT_FALSE(read.isSurely(revisionOf(*backend)));
}

TEST_P(BackendContractTest, AValueThatOthersReplacedIsNotReplaced) {
    create(*backend, definitionOf(1), "b25l");
    const Revision read = revisionOf(*backend);
    set(*subject->open(), 1, "dHdv", read);
    EXPECT_THROW(set(*backend, 1, "bWluZQ==", read), ConflictError);
    EXPECT_EQ(valueOf(*backend), "base64 dHdv");
}

TEST_P(BackendContractTest, NoPartIsPutIntoASecretThatHasGone) {
    create(*backend, definitionOf(1), "b25l");
    const Revision read = revisionOf(*backend);
    subject->open()->erase(uuidNumber(1), read);
    EXPECT_THROW(redefine(*backend, definitionOf(1), read), ConflictError);
    EXPECT_THROW(set(*backend, 1, "bmV3", read), ConflictError);
    EXPECT_THAT(backend->list(Strays::told), IsEmpty());
}

TEST_P(BackendContractTest, AFormerValueIsKeptIfItMustBe) {
    create(*backend, definitionOf(1), "first", ValueFormat::jwe);
    std::vector<std::string> asked;
    const FormerJudge keep = [&](ValueFormat format, const auto &lend) {
        lend([&](const EncodedValue &encoded) {
            asked.push_back(std::string(valueFormatName(format)) + " " +
                            std::string(encoded.bytes.begin(), encoded.bytes.end()));
            return true;
        });
        return "must be kept";
    };
    set(*backend, 1, "second", revisionOf(*backend), keep);
    EXPECT_THAT(subject->kept(), ElementsAre("first"));
    removeValue(*backend, 1, revisionOf(*backend), keep);
    EXPECT_THAT(subject->kept(), UnorderedElementsAre("first", "second"));
    EXPECT_THAT(asked, ElementsAre("jwe first", "base64 second"));
    EXPECT_EQ(valueOf(*backend), "none");
    EXPECT_EQ(valueOf(*subject->open()), "none");
}

TEST_P(BackendContractTest, AChangeThatFailsHasChangedNothing) {
    create(*backend, definitionOf(1), "b25l");
    const Revision read = revisionOf(*backend);
    subject->failChanges();
    EXPECT_THROW(create(*backend, definitionOf(2), "dHdv"), Error);
    EXPECT_THROW(redefine(*backend, described(definitionOf(1), "text"), read), Error);
    EXPECT_THROW(set(*backend, 1, "bmV3", read), Error);
    EXPECT_THROW(removeValue(*backend, 1, read), Error);
    EXPECT_THROW(backend->erase(uuidNumber(1), read), Error);
    EXPECT_THAT(uuidsOf(backend->list(Strays::told)), ElementsAre(uuidNumber(1)));
    EXPECT_EQ(get(*backend).definition, definitionOf(1));
    EXPECT_EQ(valueOf(*backend), "base64 b25l");
}

TEST_P(BackendContractTest, DifferentSecretsAreChangedAtTheSameTime) {
    constexpr int kSecrets = 8;
    {
        std::vector<std::jthread> writers;
        for (int n = 1; n <= kSecrets; ++n) {
            writers.emplace_back([&, n] {
                create(*backend, definitionOf(n), "b25l");
                set(*backend, n, "value" + std::to_string(n), revisionOf(*backend, n));
            });
        }
    }
    for (int n = 1; n <= kSecrets; ++n)
        EXPECT_EQ(valueOf(*backend, n), "base64 value" + std::to_string(n));
}

INSTANTIATE_TEST_SUITE_P(Backends, BackendContractTest,
                         testing::ValuesIn(std::vector(backendMakers().begin(),
                                                       backendMakers().end())),
                         nameOfMaker);

/// Of backends whose revisions are exact.
class ExactBackendContractTest : public BackendContractTest {
  protected:
    std::unique_ptr<Backend> other = subject->open();
};

TEST_P(ExactBackendContractTest, EachChangeGivesTheRevisionThatIsRead) {
    ASSERT_EQ(backend->revisionKind(), RevisionKind::exact);
    const auto expectNow = [&](Revision given) {
        EXPECT_TRUE(given.isSurely(revisionOf(*backend)));
        EXPECT_TRUE(given.isSurely(backend->revisionOf({uuidNumber(1), kAllForms})));
        EXPECT_TRUE(given.isSurely(revisionOf(*other)));
        return given;
    };
    const Revision created = expectNow(create(*backend, definitionOf(1), "b25l"));
    const Revision set = expectNow(this->set(*backend, 1, "b25l", created)); // the same text
    const Revision redefined = expectNow(redefine(*backend, definitionOf(1), set));
    const Revision removed = expectNow(removeValue(*backend, 1, redefined));
    EXPECT_TRUE(created.differsFrom(set));
    EXPECT_TRUE(set.differsFrom(redefined));
    EXPECT_TRUE(redefined.differsFrom(removed));
}

TEST_P(ExactBackendContractTest, NoChangeIsMadeOnWhatWasNotSeen) {
    const Revision old = create(*backend, definitionOf(1), "b25l");
    set(*other, 1, "dHdv", old);
    EXPECT_THROW(create(*backend, definitionOf(1), "bmV3"), ConflictError);
    EXPECT_THROW(redefine(*backend, described(definitionOf(1), "text"), old), ConflictError);
    EXPECT_THROW(set(*backend, 1, "bmV3", old), ConflictError);
    EXPECT_THROW(removeValue(*backend, 1, old), ConflictError);
    EXPECT_THROW(backend->erase(uuidNumber(1), old), ConflictError);
    EXPECT_EQ(get(*backend).definition, definitionOf(1));
    EXPECT_EQ(valueOf(*backend), "base64 dHdv");
}

TEST_P(ExactBackendContractTest, OfTwoWhoStoreOneSecretTheFirstHasIt) {
    create(*backend, described(definitionOf(1), "first"));
    EXPECT_THROW(create(*other, described(definitionOf(1), "second")), ConflictError);
    EXPECT_EQ(get(*other).definition, described(definitionOf(1), "first"));
}

INSTANTIATE_TEST_SUITE_P(Backends, ExactBackendContractTest, testing::ValuesIn(exactMakers()),
                         nameOfMaker);

} // namespace
} // namespace keyhold
