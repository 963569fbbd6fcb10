// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_service.h"

#include "command/holder.h"
#include "conf/error.h"
#include "conf/secret_xml.h"

#include <cstring>
#include <string_view>

#include <libvirt/virterror.h>
#include <link.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

/// As of the module in another process, a text of it shows whose it is.
int isKeyholdsModule(dl_phdr_info *library, std::size_t /*size*/, void * /*data*/) {
    constexpr std::string_view kMark = "Keyhold: ";
    if (std::string_view(library->dlpi_name).find("/libvirt_driver_secret.so") ==
        std::string_view::npos)
        return 0;
    for (std::size_t i = 0; i < library->dlpi_phnum; ++i) {
        const auto &part = library->dlpi_phdr[i];
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives numbers
        const auto *begin = reinterpret_cast<const void *>(library->dlpi_addr + part.p_vaddr);
        if (part.p_type == PT_LOAD && (part.p_flags & PF_R) != 0 &&
            ::memmem(begin, part.p_filesz, kMark.data(), kMark.size()) != nullptr)
            return 1;
    }
    return 0;
}

Connection openEmbedded(const Target &target) {
    if (!exists(target)) // libvirt would make it
        throw Error(ErrorCode::notFound,
                    "there is no directory " + inQuotes(target.paths.configDirectory));
    if (const auto holder = findHolder(target.paths))
        throw Error(ErrorCode::configUnsupported,
                    inQuotes(target.root) + " is in use by " + holder->text() + "; end it first");
    // libvirt embeds no driver in a process without one; nothing of it is waited for.
    if (::virEventRegisterDefaultImpl() != 0)
        raiseLibvirtError("cannot open " + inQuotes(target.root));
    Connection connection = openConnection(secretUriOf(target), Access::change);
    if (::dl_iterate_phdr(isKeyholdsModule, nullptr) == 0)
        throw Error(ErrorCode::configUnsupported,
                    "libvirt has its own secret driver here, and not Keyhold; install that, or "
                    "name the directory of its module in LIBVIRT_DRIVER_DIR");
    return connection;
}

} // namespace

Connection openSecretService(const Target &target) {
    if (target.kind == Target::Kind::embedded)
        return openEmbedded(target);
    try {
        return openConnection(secretUriOf(target), Access::change);
    } catch (const Error &error) {
        if (target.kind == Target::Kind::session)
            throw;
        const char *const remedy =
            ::geteuid() == 0 ? "; start libvirtd, or virtsecretd where daemons are modular"
                             : "; run the command as root, and start libvirtd if it does not run";
        throw Error(error.code(), error.message() + remedy);
    }
}

SecretHandle lookUp(virConnect *connection, const SecretName &name) {
    SecretHandle secret(name.uuid ? ::virSecretLookupByUUID(connection, name.uuid->bytes().data())
                                  : ::virSecretLookupByUsage(connection,
                                                             static_cast<int>(name.usage.type),
                                                             name.usage.id.c_str()));
    if (!secret &&
        (::virGetLastError() == nullptr || ::virGetLastError()->code != VIR_ERR_NO_SECRET))
        raiseLibvirtError("cannot look for " + inQuotes(name.text()));
    return secret;
}

SecretHandle require(virConnect *connection, const SecretName &name, const char *remedy) {
    SecretHandle secret = lookUp(connection, name);
    if (!secret)
        throw Error(ErrorCode::notFound,
                    "there is no secret " + inQuotes(name.text()) + "; " + remedy);
    return secret;
}

SecretDefinition servedDefinition(virSecret *secret) {
    const std::string xml = takeText(::virSecretGetXMLDesc(secret, 0));
    if (xml.empty())
        raiseLibvirtError("cannot read the definition of " + uuidOf(secret).toString());
    return parseSecretXml(xml.c_str());
}

Uuid uuidOf(virSecret *secret) {
    std::uint8_t bytes[Uuid::kSize];
    if (::virSecretGetUUID(secret, bytes) != 0)
        raiseLibvirtError("cannot tell the uuid of a secret");
    return Uuid(bytes);
}

Usage usageOf(virSecret *secret) {
    const char *const id = ::virSecretGetUsageID(secret);
    const int type = ::virSecretGetUsageType(secret);
    return {static_cast<UsageType>(type), type > 0 && id != nullptr ? id : ""};
}

} // namespace keyhold::command
