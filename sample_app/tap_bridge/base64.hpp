// Base64 as the old client sends it (RFC 4648 section 4, with padding).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace tuxarium::bridge {

/// Appends what `text` stands for to `out`. False, with `out` as it was, when `text` is not whole base64.
bool decode_base64(std::string_view text, std::vector<std::byte>& out);

}  // namespace tuxarium::bridge
