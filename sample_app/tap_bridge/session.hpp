// One client: frames from its websocket to its port and back.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "asio.hpp"
#include "counters.hpp"
#include "gate.hpp"
#include "log.hpp"
#include "port.hpp"
#include "rate_limit.hpp"
#include "transport.hpp"
#include "wire/frame_stream.hpp"

namespace tuxarium::bridge {

/// What the messages hold.
enum class WireFormat : std::uint8_t {
  stream,    ///< `/tap`: up, base64 in text or bytes in binary messages that cut [u16 length][frame] anywhere; down, one length and frame a message
  ethernet,  ///< `/ethernet`: one frame a binary message
};

struct SessionLimits {
  GateRules gate;
  TrafficLimit::Rates traffic;                ///< for each direction
  std::chrono::milliseconds slow_after{60'000};  ///< a client that takes nothing for so long is disconnected
};

struct ClientInfo {
  ClientId id = 0;
  std::string peer;   ///< address and port
  std::string token;  ///< the token's name
  WireFormat format = WireFormat::stream;
};

/// Passes frames while it lives. Holds one message and one frame; beyond that nothing is queued here: while a client does not read, its port
/// is not read, and while a limit makes the client wait, its websocket is not read.
class Session final : public std::enable_shared_from_this<Session>, private TransportPeer, private PortSink {
 public:
  using Ended = std::function<void(ClientId, const std::string& why)>;
  static constexpr std::chrono::seconds kProbeTime{2};
  static constexpr std::size_t kPortion = 2048;  ///< bytes of a stream's message that are taken at one go: a long frame, or a few short ones

  /// `total` (all clients together), `table` and `log` must outlive the session. `ended` is called once, when everything is over.
  Session(asio::io_context& io, ClientInfo info, const SessionLimits& limits, TrafficLimit& total, AddressTable& table, Log& log,
          std::unique_ptr<Transport> transport, std::unique_ptr<Port> port, Ended ended);
  ~Session();

  void start();
  /// Says good-bye with a close code.
  void close(CloseCode code, const std::string& reason);
  /// Another client claims this one's address: it must show within kProbeTime that it is alive.
  void probe();
  /// To be called about once a second: ends the session when the client takes nothing or does not answer a probe.
  void check_time(Clock::time_point now);
  void on_contest(Gate::Contest contest) { gate_.on_contest(std::move(contest)); }

  const ClientInfo& info() const { return info_; }
  /// `missed_down` is counted when the session is over; before that the port knows it.
  const Counters& counters() const { return counters_; }
  const std::optional<MacAddress>& address() const { return gate_.address(); }
  const std::string& port_name() const { return port_name_; }
  Clock::time_point started_at() const { return started_at_; }
  /// "client 3 (192.0.2.1:4000, token alice, websockettunt0)"
  std::string description() const;

 private:
  void on_message(Bytes message, bool is_text) override;
  void on_written() override;
  void on_alive() override;
  void on_ended(const std::string& why) override;
  void port_frame(Bytes frame) override;
  void port_failed(const std::string& why) override;

  void take_stream(Bytes message, bool is_text);
  void take_portion();
  /// How long the client has to wait for what it has sent.
  Clock::duration charge_up(std::size_t frames, std::size_t bytes);
  bool take_frame(Bytes message, bool is_text);
  void frame_up(Bytes frame, Clock::time_point now);
  void tell_first_drop(Drop reason, Bytes frame);
  void tell_address();
  void after(asio::steady_timer& timer, Clock::duration pause, void (Session::*next)());
  void read_message();
  void request_frame();
  void leave_port();

  ClientInfo info_;
  SessionLimits limits_;
  TrafficLimit* total_;
  Log* log_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Port> port_;
  std::string port_name_;
  Ended ended_;
  Gate gate_;
  TrafficLimit up_, down_;
  asio::steady_timer up_timer_, down_timer_;
  wire::FrameAssembler assembler_;
  std::vector<std::byte> decoded_;
  Bytes rest_;  ///< of the message that is being taken; the transport holds it until its next read()
  Counters counters_;
  std::optional<MacAddress> told_address_;
  std::array<bool, kDropReasons> told_{};
  Clock::time_point started_at_;
  std::optional<Clock::time_point> writing_since_, probed_at_;
  bool closing_ = false, over_ = false;
};

}  // namespace tuxarium::bridge
