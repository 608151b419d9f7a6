#include "privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
};

std::optional<Identity> identity_of(const std::string& user) {
  const passwd* const entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return std::nullopt;
  return Identity{entry->pw_uid, entry->pw_gid};
}

bool set_capabilities(std::uint32_t set) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = data[0].inheritable = set;
  return ::syscall(SYS_capset, &header, data) == 0;
}

Result<void> become(const std::string& user) {
  const auto identity = identity_of(user);
  if (!identity) return app::usage_error("there is no user " + app::in_quotes(user));
  if (!may_open_tun(user)) return app::usage_error("the user " + app::in_quotes(user) + " may not open /dev/net/tun");
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0 || ::setresgid(identity->group, identity->group, identity->group) != 0 ||
      ::setresuid(identity->user, identity->user, identity->user) != 0)
    return app::io_error("cannot become the user " + app::in_quotes(user) + ": " + app::errno_text());
  return {};
}

}  // namespace

bool may_open_tun(const std::string& user) {
  struct stat status{};
  const auto identity = identity_of(user);
  if (!identity || ::stat("/dev/net/tun", &status) != 0) return false;
  const mode_t wanted = status.st_uid == identity->user ? 0600 : status.st_gid == identity->group ? 0060 : 0006;
  return (status.st_mode & wanted) == wanted;
}

Result<void> drop_privileges(const std::string& user) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if (capability != CAP_NET_ADMIN) (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (!user.empty() && ::geteuid() == 0)
    if (const auto became = become(user); !became) return became;
  if (!set_capabilities(1u << CAP_NET_ADMIN)) return app::io_error("cannot keep CAP_NET_ADMIN and drop every other capability: " + app::errno_text());
  // For programs started later (ovs-vsctl) that are not run by root.
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return app::io_error("cannot give up new privileges: " + app::errno_text());
  return {};
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace tuxarium::bridge
