#include "net/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/quiet_thread.hpp"

namespace tuxarium::net {

struct NameLookup::Shared : std::enable_shared_from_this<Shared> {
  std::mutex mutex;
  asio::io_context* io = nullptr;  // until it was abandoned
  Done done;                       // of the thread of `io`

  void finish(std::vector<tcp::endpoint> found, std::string problem) {
    const std::lock_guard lock{mutex};
    if (io == nullptr) return;
    asio::post(*io, [self = shared_from_this(), found = std::move(found), problem = std::move(problem)]() mutable {
      if (const Done call = std::exchange(self->done, nullptr)) call(std::move(found), problem);
    });
  }
};

namespace {

/// As many as are tried.
constexpr std::size_t kMostAddresses = 8;

std::vector<tcp::endpoint> look_up(const std::string& host, const std::string& service, std::string& problem) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
  if (failure != 0) {
    problem = failure == EAI_SYSTEM ? std::system_category().message(errno) : std::string{::gai_strerror(failure)};
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
  std::vector<tcp::endpoint> found;
  for (const addrinfo* entry = list; entry != nullptr && found.size() < kMostAddresses; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    found.push_back(endpoint);
  }
  if (found.empty()) problem = "it has no address";
  return found;
}

}  // namespace

std::shared_ptr<NameLookup> NameLookup::start(asio::io_context& io, const Url& url, Done done) {
  auto shared = std::make_shared<Shared>();
  shared->io = &io;
  shared->done = std::move(done);
  error_code no_address;
  const auto address = asio::ip::make_address(url.host, no_address);
  if (!no_address) {
    shared->finish({tcp::endpoint{address, url.port}}, {});
  } else {
    try {
      start_quiet_thread([shared, host = url.host, service = std::to_string(url.port)] {
        std::string problem;
        auto found = look_up(host, service, problem);
        shared->finish(std::move(found), std::move(problem));
      }).detach();
    } catch (const std::system_error& error) {
      shared->finish({}, error.code().message());
    }
  }
  return std::shared_ptr<NameLookup>{new NameLookup{std::move(shared)}};
}

void NameLookup::abandon() {
  shared_->done = nullptr;
  const std::lock_guard lock{shared_->mutex};
  shared_->io = nullptr;
}

}  // namespace tuxarium::net
