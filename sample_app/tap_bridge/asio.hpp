// Boost.Asio, always included by way of this file: the headers of Boost 1.74 need <utility> before them.
#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

namespace tuxarium::bridge {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = asio::steady_timer::clock_type;

}  // namespace tuxarium::bridge
