// The three things that need the network, as far as they go without one: a link to a server that is not there, the network inside the
// program where it was built in, and a disk on no server.
#include <cstdio>

#include <tuxarium/http_disk.hpp>
#include <tuxarium/user_network.hpp>
#include <tuxarium/websocket_link.hpp>

namespace {

int complain(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  return 1;
}

}  // namespace

int main() {
  tuxarium::WebsocketLinkOptions options;
  options.url = "ws://127.0.0.1:1/tap";
  const auto link = tuxarium::make_websocket_link(options);
  if (!link) return complain(link.error().message.c_str());
  options.url = "gopher://127.0.0.1/";
  if (tuxarium::make_websocket_link(options)) return complain("a gopher URL is none of a websocket");

  const auto network = tuxarium::make_user_network({});
  if (network.has_value() != tuxarium::has_user_network()) return complain("there is a user-mode network, and there is none");

  const auto disk = tuxarium::open_http_disk("http:///nowhere");
  if (disk) return complain("a URL without a host gave a disk");
  std::printf("%s\n", disk.error().message.c_str());
  return 0;
}
