// Cleans up after the bridge, however it ends.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include <tuxarium/result.hpp>

#include "descriptor.hpp"

namespace tuxarium::bridge {

/// A process of its own that waits until this one has gone, also by kill -9, then ends the programs that were started and calls `clean`. It
/// keeps the privileges of the moment it was made in, and listens to nothing but the end of a pipe.
class Caretaker {
 public:
  /// Call before there is a second thread. Every descriptor but `keep` is closed in the caretaker.
  static Result<Caretaker> start(const std::vector<pid_t>& programs, int keep, const std::function<void()>& clean);
  Caretaker(Caretaker&&) noexcept = default;
  ~Caretaker();

  pid_t process() const { return process_; }

 private:
  Caretaker(Descriptor pipe, pid_t process) : pipe_{std::move(pipe)}, process_{process} {}
  Descriptor pipe_;
  pid_t process_ = -1;
};

}  // namespace tuxarium::bridge
