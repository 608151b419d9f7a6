// What a bad network costs the host's frame: the processor time of run({.wall = 4ms}) with an idle link, with one whose server reads
// nothing of what the guest sends without pause, and with one whose server sends without pause. The rounds of the three alternate.
//
// usage: bench_link_load [ROUNDS [CALLS]]     (default: 10 rounds of 600 calls each)
//
// The three are default guests with ttyS1 up and a loop in the shell, so that every call has work for all of its budget, and each has a
// websocket link of its own to a server of this program's own. The servers stand still outside their guest's rounds.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/websocket_link.hpp>

#include "bench/figures.hpp"
#include "bench/guest_session.hpp"
#include "unit/net/websocket_server.hpp"

namespace {

using namespace std::chrono_literals;
using tuxarium::net::test::Server;
using tuxarium::net::test::talking;
using tuxarium::net::test::Websocket;
constexpr const char* kPrompt = "/root # ";
constexpr double kLimit = 120;  // seconds for a step of the guest
constexpr double kMostChange = 1.10;

enum class Traffic { none, from_guest, to_guest };

/// A broadcast frame with its length, as /tap sends it: IPv4 from 10.0.2.1, of a protocol that nobody has.
std::vector<std::uint8_t> broadcast_record(std::size_t size) {
  std::vector<std::uint8_t> record(2 + size);
  record[0] = static_cast<std::uint8_t>(size >> 8), record[1] = static_cast<std::uint8_t>(size);
  std::fill_n(record.begin() + 2, 6, std::uint8_t{0xff});
  const std::size_t total = size - 14;
  const std::vector<std::uint8_t> head{
      0x02, 0, 0, 0, 0,  1,  0x08, 0x00, 0x45, 0, static_cast<std::uint8_t>(total >> 8), static_cast<std::uint8_t>(total),
      0,    0, 0, 0, 64, 253};
  std::copy(head.begin(), head.end(), record.begin() + 8);
  return record;
}

/// A guest with its link and that link's server.
class Guest {
 public:
  explicit Guest(Traffic traffic)
      : traffic_{traffic}, server_{talking([this](Websocket& stream) {
          if (traffic_ == Traffic::to_guest) flood(stream);
          while (!over_) std::this_thread::sleep_for(10ms);  // and reads nothing
        })} {
    tuxarium::WebsocketLinkOptions options;
    options.url = server_.url();
    auto link = tuxarium::make_websocket_link(options);
    if (!link) fail(link.error().message);
    link_ = *link;
    tuxarium::Config config;
    config.boot = tuxarium::default_guest();
    config.network = link_;
    auto machine = tuxarium::Machine::create(std::move(config));
    if (!machine) fail(machine.error().message);
    machine_ = std::move(*machine);
    wait();
    command("net-up 10.0.2.20");
    command("arp -s 10.0.2.1 02:00:00:00:00:01");
    for (int i = 0; i < 4 && traffic_ == Traffic::from_guest; ++i) command("ping -q -s 1400 -i 0.001 10.0.2.1 > /dev/null 2>&1 &");
    command("while :; do :; done &");
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() { over_ = true; }

  /// Calls run() so often; appends the milliseconds of processor time that each call took.
  void measure(int calls, std::vector<double>& milliseconds) {
    under_way_ = true;
    for (int i = 0; i < calls; ++i) {
      const double cpu = bench::cpu_seconds();
      machine_->run({.cycles = 0, .wall = 4ms});
      milliseconds.push_back(1000 * (bench::cpu_seconds() - cpu));
    }
    under_way_ = false;
  }

  tuxarium::LinkStatus link() const { return link_->status(); }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
  }

  void wait() {
    if (!bench::run_until(*machine_, kPrompt, kLimit).reached) fail("The guest does not answer.");
  }

  void command(std::string text) {
    text += '\n';
    machine_->serial(0).write(std::as_bytes(std::span{text}));
    wait();
  }

  void flood(Websocket& stream) {
    const auto small = broadcast_record(60), large = broadcast_record(1400);
    while (!over_) {
      if (!under_way_) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      stream.write(boost::asio::buffer(small));
      stream.write(boost::asio::buffer(large));
    }
  }

  Traffic traffic_;
  std::atomic<bool> over_{false}, under_way_{false};
  Server server_;
  std::shared_ptr<tuxarium::NetworkLink> link_;
  std::unique_ptr<tuxarium::Machine> machine_;
};

struct Row {
  const char* name;
  Guest guest;
  std::vector<double> milliseconds;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 10, calls = argc > 2 ? std::max(1, std::atoi(argv[2])) : 600;
  Row rows[]{{"idle link", Guest{Traffic::none}, {}},
             {"server reads nothing", Guest{Traffic::from_guest}, {}},
             {"server floods", Guest{Traffic::to_guest}, {}}};
  for (int i = 0; i < rounds; ++i)
    for (Row& row : rows) row.guest.measure(calls, row.milliseconds);
  const double idle = bench::quantile(rows[0].milliseconds, .999);
  std::printf("processor time of run({.wall = 4ms}), milliseconds, %zu calls each\n", rows[0].milliseconds.size());
  for (const Row& row : rows) {
    const auto& times = row.milliseconds;
    const double high = bench::quantile(times, .999);
    const tuxarium::LinkStatus link = row.guest.link();
    std::printf("%-22s median %.3f   99 %% %.3f   99.9 %% %.3f   most %.3f   99.9 %% is %.3f of the idle link's%s\n", row.name,
                bench::median(times), bench::quantile(times, .99), high, bench::quantile(times, 1), high / idle,
                high / idle <= kMostChange ? "" : "  MISSED");
    std::printf("%-22s frames from the guest %llu and %llu dropped, to it %llu and %llu dropped\n", "",
                static_cast<unsigned long long>(link.frames_sent), static_cast<unsigned long long>(link.dropped_sent),
                static_cast<unsigned long long>(link.frames_received), static_cast<unsigned long long>(link.dropped_received));
  }
  return 0;
}
