// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/secret_files.h"

#include "conf/secret_xml.h"
#include "directory/layout.h"

namespace keyhold {

std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                              const std::string &name, FileStatus *status) {
    return readTextFile(directory, name, kMaxDefinitionFileSize, status);
}

std::optional<ValueFile> readValueFile(const StoreDirectory &directory, const std::string &name,
                                       std::size_t limit) {
    static constinit Mutex largeFiles; // one file at a time
    const auto file = UntrustedFile::open(directory, name, limit);
    if (!file)
        return std::nullopt;
    ValueFile out;
    if (file->size() >= Scratch::kPooledSize)
        out.turn = std::make_unique<MutexLock>(largeFiles);
    out.memory = std::make_unique<Scratch>(file->size() + 1);
    out.size = file->read(out.memory->bytes());
    out.status = file->status();
    return out;
}

MisnamedDefinitionError::MisnamedDefinitionError(const std::string &name, const Uuid &defined,
                                                 SourcePlace place)
    : Error(ErrorCode::internal, "<uuid> does not match secret file name " + inQuotes(name), 0,
            place),
      defined_(defined) {}

std::optional<DefinitionFile> readDefinition(const StoreDirectory &directory, const Uuid &uuid) {
    const std::string name = layout::definitionName(uuid);
    std::optional<DefinitionFile> out(std::in_place);
    const auto text = readDefinitionFile(directory, name, &out->status);
    if (!text)
        return std::nullopt;
    if (auto canonical = parseCanonicalXml(*text))
        out->definition = *std::move(canonical);
    else
        out->definition = parseSecretFile({text->data(), text->size()}, directory.pathOf(name));
    if (out->definition.uuid != uuid)
        throw MisnamedDefinitionError(name, out->definition.uuid);
    return out;
}

std::optional<ValueFile> readEncodedValue(const StoreDirectory &directory, const Uuid &uuid,
                                          ValueFormat format) {
    return readValueFile(directory, layout::valueName(uuid, format), maxTextSize(format));
}

} // namespace keyhold
