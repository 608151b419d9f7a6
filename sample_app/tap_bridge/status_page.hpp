// The page at "/": who is connected and what passes, from /status.json.
#pragma once

namespace tuxarium::bridge {

extern const char* const kStatusPage;
extern const char* const kStatusPolicy;  ///< the page loads nothing from elsewhere

}  // namespace tuxarium::bridge
