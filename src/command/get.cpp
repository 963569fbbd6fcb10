// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/log_text.h"
#include "command/raw_bytes.h"
#include "command/secret_service.h"
#include "command/secrets.h"
#include "conf/error.h"
#include "seal/guarded_memory.h"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace keyhold::command {

namespace {

/// False where its definition cannot be had.
bool isPrivate(virSecret *secret) {
    try {
        return servedDefinition(secret).isPrivate;
    } catch (const Error &) {
        return false;
    }
}

/// A value as libvirt hands it over, wiped when it goes.
class ClientsValue {
  public:
    ClientsValue(virSecret *secret, const SecretName &name)
        : bytes_(::virSecretGetValue(secret, &size_, 0)) {
        if (bytes_)
            return;
        try {
            raiseLibvirtError("cannot get the value of " + inQuotes(name.text()));
        } catch (const Error &error) {
            // An embedded root looks for who asks before it says so.
            if (error.code() != ErrorCode::privateValue && !isPrivate(secret))
                throw;
            throw Error(ErrorCode::privateValue,
                        inQuotes(name.text()) +
                            " is private; libvirt gives the value of a private secret to its own "
                            "drivers, and to no client");
        }
    }
    ~ClientsValue() {
        wipe({bytes_, size_});
        std::free(bytes_); // NOLINT(cppcoreguidelines-no-malloc): libvirt's
    }
    ClientsValue(const ClientsValue &) = delete;
    ClientsValue &operator=(const ClientsValue &) = delete;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_, size_}; }

  private:
    std::size_t size_ = 0;
    std::uint8_t *const bytes_;
};

} // namespace

Exit get(const GetOptions &options) {
    const SecretName name = parseSecretName(options.secret);
    if (!options.isRevealing)
        throw Error(ErrorCode::invalidArgument,
                    "this would write the value of " + inQuotes(name.text()) +
                        " to standard output, in the clear; give --reveal if it is to");
    const Target target = chooseSettings(options.target);
    const Connection connection = openSecretService(target);
    const SecretHandle secret =
        require(connection.get(), name, "keyhold list shows those that are there");
    const ClientsValue value(secret.get(), name);
    const bool isTerminal = ::isatty(STDOUT_FILENO) == 1;
    if (isTerminal && !abi::isOneLine({reinterpret_cast<const char *>(value.bytes().data()),
                                       value.bytes().size()}))
        throw Error(
            ErrorCode::invalidArgument,
            "the value of " + inQuotes(name.text()) +
                " has bytes that may act on the terminal; pipe it, into base64 for example");
    writeToOutput(value.bytes());
    constexpr std::uint8_t kNewline[] = {'\n'};
    if (isTerminal)
        writeToOutput(kNewline);
    return Exit::clean;
}

} // namespace keyhold::command
