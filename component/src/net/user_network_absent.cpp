// The user-mode network of a build without libslirp.
#include <tuxarium/user_network.hpp>

namespace tuxarium {

Result<std::shared_ptr<NetworkLink>> make_user_network(const UserNetworkOptions&) {
  return Error{ErrorCode::unsupported, "there is no user-mode network: this program was built without libslirp"};
}

bool has_user_network() noexcept { return false; }

}  // namespace tuxarium
