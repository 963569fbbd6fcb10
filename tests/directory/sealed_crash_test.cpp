// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/crash_fixture.h"

/// The changes of sealed values, for the tests of crash_test.cpp: setting, removing, rotating to
/// another key, sealing plain values, and the way back to plain ones.
namespace keyhold {
namespace {

// "old value" as libvirt writes it: AES-256-CBC under 32 bytes of 1; made with Python's
// `cryptography`.
constexpr const char *kOldValueAsCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";

using Rules = std::shared_ptr<const SealingPolicy>;

Rules plain() {
    return policyWith(0);
}
Rules sealed() {
    return policyWith(1);
}
Rules unsealing() {
    return policyWith(0, {1}, true);
}

/// First the rules, as a reload brings them; then what a client does.
StoreStep under(const Rules &rules, const CrashChange::Simple &step) {
    return [rules, step](StoreBench &bench, SecretStore &store) {
        bench.policy->set(rules);
        step(store);
    };
}

void defineOne(SecretStore &store) {
    store.define(definitionOf(1, "one"), allow);
}
void defineOld(SecretStore &store) {
    defineOne(store);
    store.setValue(uuidNumber(1), bytes("old value"), allow);
}
void defineTwo(SecretStore &store) {
    defineOld(store);
    store.define(definitionOf(2, "two"), allow);
    store.setValue(uuidNumber(2), bytes("value of another"), allow);
}
void defineEphemeralOld(SecretStore &store) {
    store.define(ephemeral(definitionOf(1, "one")), allow);
    store.setValue(uuidNumber(1), bytes("old value"), allow);
}
void setNew(SecretStore &store) {
    store.setValue(uuidNumber(1), bytes("new value"), allow);
}
void setEmpty(SecretStore &store) {
    store.setValue(uuidNumber(1), {}, allow);
}
void undefineOne(SecretStore &store) {
    store.undefine(uuidNumber(1), allow);
}
void becomeEphemeral(SecretStore &store) {
    store.define(ephemeral(definitionOf(1, "one")), allow);
}

/// A value that counts, and files of other forms as people and other drivers leave them.
StoreStep withForms(const Rules &rules, std::vector<ValueFormat> forms) {
    return [rules, forms](StoreBench &bench, SecretStore &store) {
        bench.policy->set(rules);
        defineOne(store);
        for (const ValueFormat form : forms) {
            if (form == ValueFormat::jwe)
                setNew(store); // older than the others, which came since
            else
                bench.put(valueName(1, form),
                          form == ValueFormat::plain ? base64("old value") : kOldValueAsCbc);
        }
        store.reload();
    };
}

/// A sealed value whose key is not there any more.
StoreStep unreadable(const Rules &rules) {
    return [rules](StoreBench &bench, SecretStore &store) {
        bench.policy->set(sealed());
        defineOld(store);
        bench.policy->set(rules);
        const std::string file = *bench.content(valueName(1, ValueFormat::jwe));
        bench.remove(valueName(1, ValueFormat::jwe));
        store.reload();
        bench.put(valueName(1, ValueFormat::jwe), file);
        store.reload();
    };
}

/// As a reload does it. A value that could not be read or re-encrypted is in the log alone.
StoreStep reencryption(const Rules &rules) {
    return [rules](StoreBench &bench, SecretStore &store) {
        bench.policy->set(rules);
        const std::size_t told = bench.log.lines().size();
        store.reload();
        store.reencrypt([] { return false; });
        for (std::size_t i = told; i < bench.log.lines().size(); ++i) {
            const std::string line = bench.log.lines()[i];
            if (line.find("not re-encrypted") != std::string::npos ||
                line.find("Error reading secret") != std::string::npos)
                throw Error(ErrorCode::internal, line);
        }
    };
}

const std::vector<ValueFormat> kAllForms = {ValueFormat::jwe, ValueFormat::aes256cbc,
                                            ValueFormat::plain};

std::vector<CrashChange> sets() {
    return {
        {"SealFirst", under(sealed(), defineOne), under(sealed(), setNew)},
        {"SealOverPlain", under(plain(), defineOld), under(sealed(), setNew)},
        {"SealOverSealed", under(sealed(), defineOld), under(sealed(), setNew)},
        {"SealOverAnEarlierKey", under(sealed(), defineOld), under(policyWith(2, {1}), setNew)},
        {"SealOverCbc", withForms(sealed(), {ValueFormat::aes256cbc}), under(sealed(), setNew)},
        {"SealOverCbcAndPlain", withForms(sealed(), {ValueFormat::aes256cbc, ValueFormat::plain}),
         under(sealed(), setNew)},
        {"SealOverAllForms", withForms(sealed(), kAllForms), under(sealed(), setNew)},
        {"PlainOverSealed", under(sealed(), defineOld), under(unsealing(), setNew)},
        {"PlainOverAllForms", withForms(sealed(), kAllForms), under(unsealing(), setNew)},
        {"EmptyOverSealed", under(sealed(), defineOld), under(sealed(), setEmpty)},
        {"EmptyOverAllForms", withForms(sealed(), kAllForms), under(sealed(), setEmpty)},
    };
}

std::vector<CrashChange> definitions() {
    const auto becomePersistent = defineOne;
    return {
        {"UndefineSealed", under(sealed(), defineOld), under(sealed(), undefineOne)},
        {"UndefineAllForms", withForms(sealed(), kAllForms), under(sealed(), undefineOne)},
        {"UndefineUnreadable", unreadable(policyWith(2)), under(policyWith(2), undefineOne)},
        {"BecomeEphemeralSealed", under(sealed(), defineOld), under(sealed(), becomeEphemeral)},
        {"BecomeEphemeralWithAllForms", withForms(sealed(), kAllForms),
         under(sealed(), becomeEphemeral)},
        {"BecomePersistentSealed", under(sealed(), defineEphemeralOld),
         under(sealed(), becomePersistent)},
    };
}

std::vector<CrashChange> reencryptions() {
    constexpr auto kReencryption = CrashChange::Kind::reencryption;
    return {
        {"RotateTwo", under(sealed(), defineTwo), reencryption(policyWith(2, {1})), kReencryption},
        {"RotateWithSealExisting", under(sealed(), defineTwo),
         reencryption(policyWith(2, {1}, true)), kReencryption},
        {"SealExistingPlain", under(plain(), defineTwo), reencryption(policyWith(1, {}, true)),
         kReencryption},
        {"SealExistingCbc", withForms(sealed(), {ValueFormat::aes256cbc}),
         reencryption(policyWith(1, {}, true)), kReencryption},
        {"SealExistingAllForms", withForms(sealed(), kAllForms),
         reencryption(policyWith(1, {}, true)), kReencryption},
        {"UnsealSealed", under(sealed(), defineTwo), reencryption(unsealing()), kReencryption},
        {"UnsealCbc", withForms(sealed(), {ValueFormat::aes256cbc}), reencryption(unsealing()),
         kReencryption},
        {"UnsealCbcAndSealed", withForms(sealed(), {ValueFormat::jwe, ValueFormat::aes256cbc}),
         reencryption(unsealing()), kReencryption},
    };
}

std::vector<CrashChange> keepsFile() {
    constexpr auto kKeepsFile = CrashChange::Kind::keepsFile;
    return {
        {"SealOverUnreadable", unreadable(policyWith(2)), under(policyWith(2), setNew), kKeepsFile},
        {"PlainOverUnreadable", unreadable(plain()), under(plain(), setNew), kKeepsFile},
        {"EmptyOverUnreadable", unreadable(policyWith(2)), under(policyWith(2), setEmpty),
         kKeepsFile},
    };
}

INSTANTIATE_TEST_SUITE_P(SealedValues, CrashTest, testing::ValuesIn(sets()), nameOfChange);
INSTANTIATE_TEST_SUITE_P(SealedSecrets, CrashTest, testing::ValuesIn(definitions()), nameOfChange);
INSTANTIATE_TEST_SUITE_P(Reencryptions, CrashTest, testing::ValuesIn(reencryptions()),
                         nameOfChange);
INSTANTIATE_TEST_SUITE_P(Unreadable, CrashTest, testing::ValuesIn(keepsFile()), nameOfChange);

} // namespace
} // namespace keyhold
