// A network link over a websocket: to tuxarium-bridge, to the server of jslinux-tap, or to a relay of v86 or jor1k.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <tuxarium/network_link.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

/// What the binary messages hold.
enum class WireFormat : std::uint8_t {
  length,  ///< up: [u16 big-endian length][frame], one a message; down: a stream of the same, cut anywhere (tuxarium-bridge's /tap)
  raw,     ///< one frame a message, both ways (tuxarium-bridge's /ethernet, the relays)
};

/// Who must be at the other end of a wss:// link.
struct TlsOptions {
  bool verify = true;             ///< the certificate must be valid, for the host of the URL, and from a trusted authority
  std::filesystem::path ca_file;  ///< PEM file with the authorities that are trusted; empty: those of the system
};

struct WebsocketLinkOptions {
  std::string url;                                     ///< ws://HOST[:PORT]/PATH or wss://HOST[:PORT]/PATH
  std::string token;                                   ///< sent as `Authorization: Bearer TOKEN`; visible ASCII; empty: none is sent
  TlsOptions tls;                                      ///< wss:// only
  WireFormat format = WireFormat::length;
  std::size_t send_queue = 256u << 10;                 ///< bytes of frames that wait for the server; more are dropped
  std::size_t receive_queue = 256u << 10;              ///< bytes of frames that wait for the guest; more are dropped
  std::chrono::milliseconds connect_timeout{10'000};   ///< from the first look at the name to the open websocket
  std::chrono::milliseconds silence{20'000};           ///< a server that says nothing for half of it gets a ping, and is given up after all of it
  std::chrono::milliseconds first_retry{500};          ///< longest wait before the first new attempt; twice as long each time; the half of it is left to chance
  std::chrono::milliseconds longest_retry{30'000};
};

/// Makes a link that connects, and connects again whenever it has lost its server; it never gives up. Fails only for options that cannot work: a
/// malformed URL, a token that no header can hold, a file of authorities that cannot be read.
///
/// The link has one thread, which blocks all signals; name look-ups are on another one that nobody waits for. Destroying the link says good-bye to
/// the server, for at most a quarter of a second. The server is not trusted: whatever it sends costs bounded memory and no more than the network.
Result<std::shared_ptr<NetworkLink>> make_websocket_link(const WebsocketLinkOptions& options);

}  // namespace tuxarium
