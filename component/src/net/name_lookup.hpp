// Looks host names up without anybody having to wait: the system's own look-up can take a minute and cannot be called off.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/beast.hpp"
#include "net/url.hpp"

namespace tuxarium::net {

class NameLookup {
 public:
  /// The addresses found, or none and why, as part of a sentence.
  using Done = std::function<void(std::vector<tcp::endpoint> found, const std::string& problem)>;

  /// Looks up the host of `url` on a thread of its own and calls `done` from `io`. A host that is an address needs no thread.
  static std::shared_ptr<NameLookup> start(asio::io_context& io, const Url& url, Done done);

  /// `done` is not called any more, and `io` may go; the thread ends by itself. Call it on the thread of `io`.
  void abandon();

 private:
  struct Shared;
  explicit NameLookup(std::shared_ptr<Shared> shared) : shared_{std::move(shared)} {}

  std::shared_ptr<Shared> shared_;
};

}  // namespace tuxarium::net
