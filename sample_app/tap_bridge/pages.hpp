// What plain HTTP requests get.
#pragma once

#include <string>

#include "server.hpp"

namespace tuxarium::bridge {

inline constexpr const char* kServerName = "tuxarium-bridge";

struct Page {
  unsigned status = 200;
  std::string body;
  std::string content_type;  ///< empty: plain text
  std::string policy;        ///< Content-Security-Policy; empty: none
};

/// The page for an admission that is no websocket.
Page page_for(const Admission& admission, const Server& server);

/// Prometheus' text format, version 0.0.4.
std::string metrics_text(const ServerView& view);
std::string status_json(const ServerView& view);

}  // namespace tuxarium::bridge
