// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Comments behind settings in a `secret.conf`, by which a later run knows what an
/// earlier one did. People may take them out.
namespace keyhold::command::settings_notes {

/// The key that is named is a new one, and values are still sealed under the former one.
inline constexpr const char *kRotating = "# keyhold: the rotation to it is not done";

/// Behind `encrypt_data`: values are still sealed.
inline constexpr const char *kSwitchingOff = "# keyhold: values are still encrypted";

/// The note behind this setting in the file; empty if there is none. Raises as
/// readSettingsText().
[[nodiscard]] std::string inFile(const std::string &settingsFile, std::string_view setting);

/// A new key is about to be made at `place`.
[[nodiscard]] std::string ofRotationTo(const std::string &place);
/// The place in such a note; empty if it is another one.
[[nodiscard]] std::optional<std::string> rotationIn(std::string_view note);

/// There is a key with this id in the file that is named.
[[nodiscard]] std::string ofKey(const std::string &keyId);
/// The same, where the run that named it is not done.
[[nodiscard]] std::string ofNewKey(const std::string &keyId);
[[nodiscard]] bool isOfNewKey(std::string_view note);
/// The id in a note of either kind; empty if it is another one.
[[nodiscard]] std::optional<std::string> keyIn(std::string_view note);

/// The note of the current key in the file of settings; as inFile().
[[nodiscard]] std::string ofCurrentKey(const std::string &settingsFile);

} // namespace keyhold::command::settings_notes
