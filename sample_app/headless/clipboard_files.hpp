// `--clipboard-in` and `--clipboard-out`: the guest's clipboard as files.
#pragma once

#include <memory>
#include <string>

#include <tuxarium/clipboard.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium::app {

/// One clipboard for both directions, as in JSLinux: `in` is what the guest reads first, and what it writes replaces that and goes to `out`.
class ClipboardFiles {
 public:
  /// Reads `in` and checks that `out` can be written; either may be empty. At most 16 MiB are read.
  static Result<ClipboardFiles> open(const std::string& in, std::string out);

  std::shared_ptr<ClipboardBuffer> buffer() const { return buffer_; }

  /// Writes `out` if the guest has written since the last call.
  Result<void> pump();

 private:
  std::shared_ptr<ClipboardBuffer> buffer_ = std::make_shared<ClipboardBuffer>();
  std::string out_;
  std::uint64_t seen_ = 0;
};

}  // namespace tuxarium::app
