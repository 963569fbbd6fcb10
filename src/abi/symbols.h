// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"

#include <libvirt/virterror.h>

#include <cstddef>

#include <sys/types.h>

/// libvirt's private functions, looked up by name on the handle of libvirt.so.0: linking them would
/// bind the module to one release, because they carry the exact release as their version node.
/// The list is X-macro style so that the table, the lookup and the tests have one source.
// clang-format off
#define KEYHOLD_LIBVIRT_SYMBOLS(X)                                                                        \
    X(int, virRegisterConnectDriver, (keyhold::abi::ConnectDriver *, bool))                               \
    X(int, virSetSharedSecretDriver, (keyhold::abi::SecretDriver *))                                      \
    X(int, virRegisterStateDriver, (keyhold::abi::StateDriver *))                                         \
    X(virSecretPtr, virGetSecret, (virConnectPtr, const unsigned char *, int, const char *))              \
    X(keyhold::abi::EventState *, virObjectEventStateNew, ())                                             \
    X(void, virObjectEventStateQueue, (keyhold::abi::EventState *, keyhold::abi::Event *))                \
    X(int, virObjectEventStateDeregisterID, (virConnectPtr, keyhold::abi::EventState *, int, bool))       \
    X(int, virSecretEventStateRegisterID, (virConnectPtr, keyhold::abi::EventState *, virSecretPtr, int,  \
        virConnectSecretEventGenericCallback, void *, virFreeCallback, int *))                            \
    X(keyhold::abi::Event *, virSecretEventLifecycleNew,                                                  \
        (const unsigned char *, int, const char *, int, int))                                             \
    X(keyhold::abi::Event *, virSecretEventValueChangedNew, (const unsigned char *, int, const char *))   \
    X(void, virObjectUnref, (void *))                                                                     \
    X(int, virConnectOpenEnsureACL, (virConnectPtr))                                                      \
    X(int, virConnectNumOfSecretsEnsureACL, (virConnectPtr))                                              \
    X(int, virConnectListSecretsEnsureACL, (virConnectPtr))                                               \
    X(int, virConnectListAllSecretsEnsureACL, (virConnectPtr))                                            \
    X(int, virConnectSecretEventRegisterAnyEnsureACL, (virConnectPtr))                                    \
    X(int, virConnectSecretEventDeregisterAnyEnsureACL, (virConnectPtr))                                  \
    X(bool, virConnectNumOfSecretsCheckACL, (virConnectPtr, keyhold::abi::SecretDef *))                   \
    X(bool, virConnectListSecretsCheckACL, (virConnectPtr, keyhold::abi::SecretDef *))                    \
    X(bool, virConnectListAllSecretsCheckACL, (virConnectPtr, keyhold::abi::SecretDef *))                 \
    X(int, virSecretLookupByUUIDEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                    \
    X(int, virSecretLookupByUsageEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                   \
    X(int, virSecretDefineXMLEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                       \
    X(int, virSecretGetXMLDescEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                      \
    X(int, virSecretSetValueEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                        \
    X(int, virSecretGetValueEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                        \
    X(int, virSecretUndefineEnsureACL, (virConnectPtr, keyhold::abi::SecretDef *))                        \
    X(bool, virConnectValidateURIPath, (const char *, const char *, bool))                                \
    X(const char *, virURIGetParam, (const keyhold::abi::Uri *, const char *))                            \
    X(keyhold::abi::Identity *, virIdentityGetCurrent, ())                                                \
    X(int, virIdentityGetUserName, (keyhold::abi::Identity *, const char **))                             \
    X(int, virIdentityGetUNIXUserID, (keyhold::abi::Identity *, uid_t *))                                 \
    X(int, virIdentityGetProcessID, (keyhold::abi::Identity *, pid_t *))                                  \
    X(int, virIdentityGetProcessTime, (keyhold::abi::Identity *, unsigned long long *))                   \
    X(int, virIdentityGetSASLUserName, (keyhold::abi::Identity *, const char **))                         \
    X(int, virIdentityGetX509DName, (keyhold::abi::Identity *, const char **))                            \
    X(int, virIdentityGetSELinuxContext, (keyhold::abi::Identity *, const char **))                       \
    X(int, virIdentityIsCurrentElevated, ())                                                              \
    X(void, virErrorPreserveLast, (virErrorPtr *))                                                        \
    X(void, virErrorRestore, (virErrorPtr *))                                                             \
    X(int, virSetConnectSecret, (virConnectPtr))                                                          \
    X(char *, virGetUserConfigDirectory, ())                                                              \
    X(char *, virGetUserRuntimeDirectory, ())                                                             \
    X(keyhold::abi::Conf *, virConfReadString, (const char *, unsigned int))                              \
    X(int, virConfFree, (keyhold::abi::Conf *))                                                           \
    X(void, virRaiseErrorFull, (const char *, const char *, std::size_t, int, int, int, const char *,     \
        const char *, const char *, int, int, const char *, ...))                                         \
    X(void, virReportErrorHelper, (int, int, const char *, const char *, std::size_t, const char *, ...)) \
    X(void, virReportSystemErrorFull, (int, int, const char *, const char *, std::size_t, const char *, ...)) \
    X(void, virLogMessage, (keyhold::abi::LogSource *, int, const char *, int, const char *, void *,      \
        const char *, ...))
// clang-format on

namespace keyhold::abi {

/// The private functions of the libvirt in this process.
struct Symbols {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the parts of a declaration
#define KEYHOLD_DECLARE(result, name, parameters) result(*name) parameters = nullptr;
    KEYHOLD_LIBVIRT_SYMBOLS(KEYHOLD_DECLARE)
#undef KEYHOLD_DECLARE
    /// Which API of libvirt the thread works for. The one that may be null: nothing but the audit
    /// trail needs it.
    const char *(*virThreadJobGet)() = nullptr;
};

/// Looks every symbol up by `find`, which is dlsym, and stores its address, null where there is
/// none. Returns the name of the first one missing, or an empty string.
[[nodiscard]] const char *lookUpSymbols(Symbols &table, void *library,
                                        void *(*find)(void *library, const char *name)) noexcept;

/// The same, once, on the libvirt.so.0 that is already loaded; the first call does the work,
/// whichever thread makes it. Returns the name of the first one missing, "libvirt.so.0" where no
/// libvirt is loaded, or an empty string.
[[nodiscard]] const char *loadSymbols() noexcept;

/// The table that loadSymbols() fills (this loads them as well); entries it did not find are null.
[[nodiscard]] const Symbols &symbols() noexcept;

} // namespace keyhold::abi
