#include "tap_ports.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstring>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

constexpr const char* kTunDevice = "/dev/net/tun";
constexpr std::size_t kBuffer = 4 * 1024;  // longer than any frame that a device of this MTU gives

Error tun_error(const std::string& what) {
  const std::string why = app::errno_text();
  if (errno == EACCES) return app::io_error("cannot open " + std::string{kTunDevice} + ": this user may not read and write it (chmod 666 " + kTunDevice + " as root)");
  if (errno == ENOENT || errno == ENODEV) return app::io_error("cannot open " + std::string{kTunDevice} + ": " + why + " (modprobe tun as root)");
  if (errno == EPERM) return app::io_error("cannot " + what + ": CAP_NET_ADMIN over the network namespace is missing");
  return app::io_error("cannot " + what + ": " + why);
}

/// `pattern` is a name or a name with %d for the next free number. Leaves errno as the kernel set it.
Result<OpenTap> open_named(const char* pattern) {
  Descriptor descriptor{::open(kTunDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!descriptor) return tun_error("open " + std::string{kTunDevice});
  ifreq request{};
  std::strncpy(request.ifr_name, pattern, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(descriptor.get(), TUNSETIFF, &request) == 0) return OpenTap{std::move(descriptor), request.ifr_name};
  const int number = errno;
  Error error = tun_error("make a TAP device");
  descriptor.reset();
  errno = number;
  return error;
}

}  // namespace

Result<OpenTap> open_tap() {
  Result<OpenTap> opened = open_named(TapPorts::kNamePatterns[0]);
  // All numbers that fit behind the name are in use.
  for (std::size_t i = 1; !opened && errno == EEXIST && i < TapPorts::kNamePatterns.size(); ++i) opened = open_named(TapPorts::kNamePatterns[i]);
  return opened;
}

bool remove_stale_tap(const std::string& name) {
  const auto tap = open_named(name.c_str());
  return tap && ::ioctl(tap->descriptor.get(), TUNSETPERSIST, 0) == 0;
}

struct TapPorts::Worker {
  explicit Worker(std::unique_ptr<Attacher> with) : attacher{std::move(with)} {}
  std::unique_ptr<Attacher> attacher;
  asio::thread_pool thread{1};
};

namespace {

/// Reads and writes the device on the event loop.
class TapCore final : public std::enable_shared_from_this<TapCore> {
 public:
  TapCore(asio::io_context& io, OpenTap tap) : stream_{io, tap.descriptor.release()}, buffer_(kBuffer) {}

  void attach(PortSink& sink) { sink_ = &sink; }

  void request() {
    stream_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](error_code error, std::size_t size) { self->have_read(error, size); });
  }

  bool send(Bytes frame) {
    return ::write(stream_.native_handle(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
  }

  /// No callback after this. Hands the descriptor out, to be closed.
  Descriptor close() {
    sink_ = nullptr;
    stream_.cancel();
    return Descriptor{stream_.release()};
  }

 private:
  void have_read(error_code error, std::size_t size) {
    if (sink_ == nullptr) return;
    if (error) return sink_->port_failed("the TAP device cannot be read: " + error.message());
    sink_->port_frame({buffer_.data(), size});
  }

  asio::posix::stream_descriptor stream_;
  std::vector<std::byte> buffer_;
  PortSink* sink_ = nullptr;
};

class TapPort final : public Port {
 public:
  using GiveBack = std::function<void(Descriptor, const std::string& name)>;
  TapPort(asio::io_context& io, OpenTap tap, GiveBack give_back)
      : name_{tap.name}, core_{std::make_shared<TapCore>(io, std::move(tap))}, give_back_{std::move(give_back)} {}
  ~TapPort() override { give_back_(core_->close(), name_); }

  const std::string& name() const override { return name_; }
  void attach(PortSink& sink) override { core_->attach(sink); }
  void request_frame() override { core_->request(); }
  bool send(Bytes frame) override { return core_->send(frame); }
  std::uint64_t dropped() const override {
    const DeviceDrops drops = read_device_drops();
    const auto found = drops.find(name_);
    return found == drops.end() ? 0 : found->second;
  }

 private:
  std::string name_;
  std::shared_ptr<TapCore> core_;
  GiveBack give_back_;
};

}  // namespace

TapPorts::TapPorts(asio::io_context& io, std::unique_ptr<Attacher> attacher) : io_{&io}, worker_{std::make_shared<Worker>(std::move(attacher))} {}

TapPorts::~TapPorts() { worker_->thread.join(); }

void TapPorts::open(Done done) {
  asio::post(worker_->thread, [io = io_, worker = worker_, done = std::move(done)]() mutable {
    auto tap = std::make_shared<Result<OpenTap>>(open_tap());
    if (*tap) {
      if (const auto attached = worker->attacher->attach((*tap)->name); !attached) *tap = attached.error();
    }
    asio::post(*io, [io, weak = std::weak_ptr{worker}, tap, done = std::move(done)] {
      if (!*tap) return done(tap->error());
      done(std::unique_ptr<Port>{std::make_unique<TapPort>(*io, std::move(*tap).value(), [weak](Descriptor descriptor, const std::string& name) {
        const auto to = weak.lock();
        if (!to) return;
        asio::post(to->thread, [raw = to.get(), held = std::make_shared<Descriptor>(std::move(descriptor)), name] {
          raw->attacher->detach(name);
          held->reset();
        });
      })});
    });
  });
}

}  // namespace tuxarium::bridge
