// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/exchanged_key.h"
#include "command/raw_bytes.h"
#include "command/secret_list.h"
#include "command/secret_service.h"
#include "command/secrets.h"
#include "command/typed_value.h"
#include "conf/error.h"
#include "conf/secret_xml.h"
#include "directory/secret_inspection.h"
#include "os/store_directory.h"
#include "seal/scratch.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

constexpr const char *kDefineIt =
    "make it with --define and its use as TYPE:ID, or with virsh secret-define";

/// A secret as --define and the options beside it describe it.
SecretDefinition definitionOf(const SetOptions &options, const SecretName &name) {
    if (name.uuid)
        throw Error(ErrorCode::invalidArgument,
                    "--define wants to know what the secret is for: name it as TYPE:ID, and give "
                    "its uuid with --uuid");
    const auto uuid = options.uuid.empty() ? Uuid::generate() : Uuid::parse(options.uuid);
    if (!uuid)
        throw Error(ErrorCode::invalidArgument, inQuotes(options.uuid) + " is no uuid");
    return {*uuid, options.isEphemeral, options.isPrivate, options.description, name.usage};
}

/// What is there must be what the options describe.
void requireAsDescribed(virSecret *secret, const SetOptions &options,
                        const SecretDefinition &wanted) {
    const SecretDefinition found = servedDefinition(secret);
    const char *differs = nullptr;
    if (!options.uuid.empty() && wanted.uuid != found.uuid)
        differs = "uuid";
    else if (!options.description.empty() && wanted.description != found.description)
        differs = "description";
    else if (wanted.isPrivate && !found.isPrivate)
        differs = "private";
    else if (wanted.isEphemeral && !found.isEphemeral)
        differs = "ephemeral";
    if (differs)
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(usageText(found.usage)) + " is there already, as " +
                        found.uuid.toString() + ", with another --" + differs +
                        "; leave that out, or change it with virsh secret-define");
}

std::size_t readValue(std::span<std::uint8_t> into) {
    if (::isatty(STDIN_FILENO) == 1)
        return typeValue(into.first(kMaxValueOfClients));
    return readInput(into);
}

void setValue(virSecret *secret, const SecretName &name, std::span<const std::uint8_t> value) {
    if (::virSecretSetValue(secret, value.data(), value.size(), 0) != 0)
        raiseLibvirtError("cannot set the value of " + inQuotes(name.text()));
}

/// Where the value rests now, as far as this user can see.
Json restOf(const Target &target, const Uuid &uuid) {
    try {
        const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
        const SealingPolicy noKeys(Keyring{}, {});
        const SecretInspection found = inspectSecret(directory, noKeys, uuid);
        return {{"form", formName(found.format)},
                {"key", found.keyId.empty() ? Json() : Json(found.keyId)}};
    } catch (const Error &) {
        return {{"form", nullptr}, {"key", nullptr}};
    }
}

void say(const Target &target, const SetOptions &options, virSecret *secret, bool isMade) {
    const Uuid uuid = uuidOf(secret);
    const Usage usage = usageOf(secret);
    const Json rest = restOf(target, uuid);
    if (options.json) {
        Json json = {{"uuid", uuid.toString()}, {"made", isMade}};
        json.update(rest);
        return printJson(json);
    }
    std::string text = "set " + uuid.toString() + " (" + usageText(usage) + ")";
    if (rest["form"] == "sealed")
        text += ", sealed with key " + rest["key"].get<std::string>();
    else if (rest["form"] == "plain")
        text += ", in plain";
    else if (rest["form"] == "none")
        text += ", in memory only";
    print(text);
}

} // namespace

Exit set(const SetOptions &options) {
    const SecretName name = parseSecretName(options.secret);
    SecretDefinition wanted;
    if (options.wantsDefine)
        wanted = definitionOf(options, name);
    const Target target = chooseSettings(options.target);
    if (options.isEphemeral && target.kind == Target::Kind::embedded)
        throw Error(ErrorCode::configUnsupported,
                    "an ephemeral secret of " + inQuotes(target.root) +
                        " would be gone as this command ends, for no daemon keeps it; leave "
                        "--ephemeral out, or have the program that opens the root define it");
    if (target.kind == Target::Kind::embedded && exists(target)) // a daemon may have the right key
        requireNoExchangedKey(target, readStoreKeys(target, std::nullopt), std::nullopt);
    const Connection connection = openSecretService(target);
    SecretHandle secret = options.wantsDefine ? lookUp(connection.get(), name)
                                              : require(connection.get(), name, kDefineIt);
    const bool isMade = !secret;
    if (options.wantsDefine && secret)
        requireAsDescribed(secret.get(), options, wanted);

    Scratch value(kMaxValueOfClients + 1);
    const std::size_t size = readValue(value.bytes());
    if (size == 0)
        throw Error(ErrorCode::invalidArgument, "the value is empty; nothing was set");
    if (size > kMaxValueOfClients)
        throw Error(ErrorCode::invalidArgument, "the value is longer than the " +
                                                    std::to_string(kMaxValueOfClients) +
                                                    " bytes that libvirt carries; nothing was set");
    if (isMade)
        secret.reset(::virSecretDefineXML(connection.get(), formatSecretXml(wanted).c_str(), 0));
    if (!secret)
        raiseLibvirtError("cannot make " + inQuotes(name.text()));
    try {
        setValue(secret.get(), name, value.bytes().first(size));
    } catch (const Error &) {
        if (isMade)
            ::virSecretUndefine(secret.get());
        throw;
    }
    say(target, options, secret.get(), isMade);
    return Exit::clean;
}

} // namespace keyhold::command
