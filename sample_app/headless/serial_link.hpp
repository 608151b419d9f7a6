// `--serial2`: where the raw bytes of the guest's ttyS1 go to and come from.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>
#include <tuxarium/serial_port.hpp>

#include "output_file.hpp"

namespace tuxarium::app {

/// `none`, `pty`, `tcp:HOST:PORT` (an IPv6 address in [ ]) or `file:PATH`.
struct SerialLinkSpec {
  enum class Kind : std::uint8_t { none, pty, tcp, file };
  Kind kind = Kind::none;
  std::string target;   ///< host or path
  std::string service;  ///< port number or service name
};
Result<SerialLinkSpec> parse_serial_link(std::string_view text);

/// Moves bytes between a serial port and a descriptor without ever waiting. Each direction holds at most kBuffer bytes here; when one is
/// full its source is not read, so a slow peer makes the guest's transmitter wait and a slow guest makes the peer wait. Bytes are dropped
/// only when the peer has gone for good: the cable is unplugged then, and a sentence says so.
class SerialLink {
 public:
  static constexpr std::size_t kBuffer = 64 * 1024;
  using Say = std::function<void(const std::string& sentence)>;

  /// Opens the link: makes the pseudo-terminal and says its name, connects, or opens the file. Connecting may take a while, and is the only
  /// part that waits.
  static Result<SerialLink> open(const SerialLinkSpec& spec, Say say);

  SerialLink(SerialLink&& other) noexcept;
  SerialLink& operator=(SerialLink&&) = delete;
  ~SerialLink();

  /// Empties an output file: the run begins.
  void start();

  /// Moves what can be moved now. Fails only when an output file cannot be written. `moved_in` is set to whether the guest got bytes.
  Result<void> pump(SerialPort& port, bool& moved_in);

  /// Adds what is worth waiting for.
  void add_poll(std::vector<pollfd>& list) const;

  /// The guest has stopped: hands over what it has sent, as long as the peer takes some of it every two seconds.
  Result<void> finish(SerialPort& port);

 private:
  explicit SerialLink(Say say) : say_{std::move(say)} {}
  Result<void> open_pty();
  Result<void> connect(const std::string& host, const std::string& service);
  Result<void> guest_to_peer(SerialPort& port);
  bool peer_to_guest(SerialPort& port);
  void send_out();
  void hang_up(const std::string& why);

  Say say_;
  std::optional<OutputFile> file_;
  int descriptor_ = -1;
  int slave_ = -1;           // held open so that the pseudo-terminal has no hang-up between two users
  bool peer_done_ = false;   // the peer will send no more
  std::string name_;
  std::vector<std::byte> out_, in_;
};

}  // namespace tuxarium::app
