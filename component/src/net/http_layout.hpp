// What a disk over HTTP is made of: asked of the server once, when the disk is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tuxarium/http_disk.hpp>
#include <tuxarium/result.hpp>

#include "disk/manifest.hpp"
#include "net/http_connection.hpp"
#include "net/url.hpp"

namespace tuxarium::net {

struct HttpLayout {
  Url folder;  ///< target ends with a slash
  std::uint32_t piece_bytes = 0;
  std::uint64_t sectors = 0;
  std::uint64_t pieces = 0;
  std::optional<disk::Manifest> manifest;

  std::string name() const { return folder.text(); }
  Url url_of(std::uint64_t piece) const;
  bool zero(std::uint64_t piece) const { return manifest && manifest->pieces[static_cast<std::size_t>(piece)].zero; }

  /// SHA-256 of a piece, if known.
  const disk::Sha256Digest* digest(std::uint64_t piece) const {
    return manifest ? &manifest->pieces[static_cast<std::size_t>(piece)].digest : nullptr;
  }
};

/// The URL of a folder of pieces: http or https, no query; a slash at the end is added.
Result<Url> parse_folder_url(std::string_view text);

/// Loads the manifest, or without one counts the pieces; runs `context` until that is done or the options' time is over.
Result<HttpLayout> load_layout(asio::io_context& context, HttpConnection& connection, const Url& folder, const HttpDiskOptions& options);

}  // namespace tuxarium::net
