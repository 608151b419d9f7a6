#include "session.hpp"

#include <algorithm>

#include "base64.hpp"

namespace tuxarium::bridge {

Session::Session(asio::io_context& io, ClientInfo info, const SessionLimits& limits, TrafficLimit& total, AddressTable& table, Log& log,
                 std::unique_ptr<Transport> transport, std::unique_ptr<Port> port, Ended ended)
    : info_{std::move(info)},
      limits_{limits},
      total_{&total},
      log_{&log},
      transport_{std::move(transport)},
      port_{std::move(port)},
      port_name_{port_->name()},
      ended_{std::move(ended)},
      gate_{limits.gate, table, info_.id, Clock::now()},
      up_{limits.traffic, Clock::now()},
      down_{limits.traffic, Clock::now()},
      up_timer_{io},
      down_timer_{io},
      started_at_{Clock::now()} {
  transport_->attach(*this);
  port_->attach(*this);
}

Session::~Session() { transport_->detach(); }

std::string Session::description() const {
  std::string text = "client " + std::to_string(info_.id) + " (" + info_.peer;
  if (!info_.token.empty()) text += ", token " + info_.token;
  return text + ", " + port_name_ + ")";
}

void Session::start() {
  transport_->read();
  port_->request_frame();
}

void Session::close(CloseCode code, const std::string& reason) {
  if (closing_ || over_) return;
  closing_ = true;
  leave_port();
  transport_->close(code, reason);
}

void Session::leave_port() {
  if (!port_) return;
  counters_.missed_down = port_->dropped();
  port_.reset();
}

void Session::probe() {
  if (closing_ || over_ || probed_at_) return;
  probed_at_ = Clock::now();
  transport_->ping();
}

void Session::check_time(Clock::time_point now) {
  if (closing_ || over_) return;
  if (writing_since_ && now - *writing_since_ > limits_.slow_after) {
    log_->say_of_client(description() + ": takes no frames, is cut off");
    closing_ = true;
    transport_->abort();
  } else if (probed_at_ && now - *probed_at_ > kProbeTime) {
    log_->say_of_client(description() + ": another client has its address and it answers no ping, is cut off");
    closing_ = true;
    transport_->abort();
  }
}

void Session::read_message() {
  if (!closing_ && !over_) transport_->read();
}

void Session::request_frame() {
  if (!closing_ && !over_) port_->request_frame();
}

/// Goes on at once, or when the pause is over.
void Session::after(asio::steady_timer& timer, Clock::duration pause, void (Session::*next)()) {
  if (pause <= Clock::duration::zero()) return (this->*next)();
  ++counters_.pauses;
  timer.expires_after(pause);
  timer.async_wait([weak = weak_from_this(), next](error_code error) {
    const auto self = weak.lock();
    if (self && !error) (self.get()->*next)();
  });
}

void Session::on_alive() { probed_at_.reset(); }

void Session::on_message(Bytes message, bool is_text) {
  if (closing_ || over_) return;
  if (info_.format == WireFormat::stream) return take_stream(message, is_text);
  if (!take_frame(message, is_text)) return;
  after(up_timer_, charge_up(1, message.size()), &Session::read_message);
}

Clock::duration Session::charge_up(std::size_t frames, std::size_t bytes) {
  const Clock::time_point now = Clock::now();
  return std::max(up_.charge(frames, bytes, now), total_->charge(frames, bytes, now));
}

void Session::take_stream(Bytes message, bool is_text) {
  if (is_text) {
    decoded_.clear();
    if (!decode_base64({reinterpret_cast<const char*>(message.data()), message.size()}, decoded_)) {
      log_->say_of_client(description() + ": sent a text message that is not base64, is disconnected");
      return close(CloseCode::bad_payload, "a text message must be base64");
    }
    message = decoded_;
  }
  rest_ = message;
  take_portion();
}

/// The other clients have their turn after each portion: a message of a thousand frames would fill the queues of their ports.
void Session::take_portion() {
  if (closing_ || over_) return;
  const Bytes portion = rest_.first(std::min(rest_.size(), kPortion));
  rest_ = rest_.subspan(portion.size());
  const std::uint64_t frames_before = counters_.frames_up;
  const Clock::time_point now = Clock::now();
  assembler_.feed(portion, [&](Bytes frame) { frame_up(frame, now); });
  counters_.skipped_bytes = assembler_.skipped();
  if (closing_ || over_) return;
  const auto frames = std::max<std::size_t>(1, static_cast<std::size_t>(counters_.frames_up - frames_before));
  const auto pause = charge_up(frames, portion.size());
  if (rest_.empty()) return after(up_timer_, pause, &Session::read_message);
  if (pause > Clock::duration::zero()) return after(up_timer_, pause, &Session::take_portion);
  asio::post(up_timer_.get_executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->take_portion();
  });
}

bool Session::take_frame(Bytes message, bool is_text) {
  if (is_text) {
    log_->say_of_client(description() + ": sent a text message to /ethernet, is disconnected");
    close(CloseCode::unsupported_data, "/ethernet takes binary messages of one frame each");
    return false;
  }
  frame_up(message, Clock::now());
  return true;
}

void Session::frame_up(Bytes frame, Clock::time_point now) {
  if (closing_ || over_) return;
  ++counters_.frames_up;
  counters_.bytes_up += frame.size();
  auto drop = gate_.check(frame, now);
  if (gate_.address() != told_address_) tell_address();
  if (!drop && !port_->send(frame)) drop = Drop::refused;
  if (!drop) return;
  counters_.drop(*drop);
  tell_first_drop(*drop, frame);
}

void Session::tell_address() {
  log_->say_of_client(description() + ": has address " + to_string(*gate_.address()));
  told_address_ = gate_.address();
}

/// One line for each reason; the counters have the rest.
void Session::tell_first_drop(Drop reason, Bytes frame) {
  bool& told = told_[static_cast<std::size_t>(reason)];
  if (told) return;
  told = true;
  std::string text = description() + ": first frame dropped as " + kDropNames[static_cast<std::size_t>(reason)];
  if (frame.size() >= kEthernetHeader) text += ", from " + to_string(source_of(frame)) + " to " + to_string(destination_of(frame));
  log_->say_of_client(text + ", " + std::to_string(frame.size()) + " bytes");
}

void Session::port_frame(Bytes frame) {
  if (closing_ || over_) return;
  ++counters_.frames_down;
  counters_.bytes_down += frame.size();
  writing_since_ = Clock::now();
  const auto length = wire::length_field(frame.size());
  transport_->write(info_.format == WireFormat::stream ? Bytes{length} : Bytes{}, frame);
  const auto pause = std::max(down_.charge(1, frame.size(), *writing_since_), total_->charge(1, frame.size(), *writing_since_));
  down_timer_.expires_at(*writing_since_ + pause);
}

void Session::on_written() {
  writing_since_.reset();
  if (closing_ || over_) return;
  after(down_timer_, down_timer_.expiry() - Clock::now(), &Session::request_frame);
}

void Session::port_failed(const std::string& why) {
  if (closing_ || over_) return;
  log_->say(description() + ": " + why);
  close(CloseCode::internal, "the network device failed");
}

void Session::on_ended(const std::string& why) {
  if (over_) return;
  over_ = true;
  leave_port();
  up_timer_.cancel();
  down_timer_.cancel();
  const auto self = shared_from_this();
  ended_(info_.id, why);
}

}  // namespace tuxarium::bridge
