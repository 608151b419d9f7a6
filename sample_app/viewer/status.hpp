// What the viewer's exit status means.
#pragma once

namespace tuxarium::viewer {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNoWindow = 3;  // nothing was started; sample_app/run then uses the terminal
inline constexpr int kTimeout = 124;

}  // namespace tuxarium::viewer
