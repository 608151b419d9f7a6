#include "net/url.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace tuxarium::net {

namespace {

struct SchemeRow {
  std::string_view name;
  Scheme scheme;
  std::uint16_t port;
};
constexpr std::array<SchemeRow, 4> kSchemes{
    {{"http", Scheme::http, 80}, {"https", Scheme::https, 443}, {"ws", Scheme::ws, 80}, {"wss", Scheme::wss, 443}}};

const SchemeRow& row_of(Scheme scheme) {
  return *std::find_if(kSchemes.begin(), kSchemes.end(), [&](const SchemeRow& row) { return row.scheme == scheme; });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = lower(c);
  return out;
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_name(std::string_view host) {
  return host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// A text that is repeated in a sentence: cut, and without anything that a terminal might obey.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMostShown = 200;
  std::string out = "\"";
  for (const char c : text.substr(0, kMostShown)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kMostShown ? "...\"" : "\"");
}

class UrlReader {
 public:
  explicit UrlReader(std::string_view text) : whole_{text}, rest_{text} {}

  Result<Url> read() {
    if (whole_.size() > kMaxUrl) return fail("it has more than " + std::to_string(kMaxUrl) + " characters");
    if (std::ranges::any_of(whole_, [](char c) { return c <= ' ' || c > '~'; })) {
      return fail("it holds a blank, a control character or one outside ASCII");
    }
    if (const auto problem = read_scheme()) return fail(*problem);
    const std::string_view authority = rest_.substr(0, rest_.find_first_of("/?#"));
    rest_.remove_prefix(authority.size());
    if (const auto problem = read_authority(authority)) return fail(*problem);
    if (rest_.find('#') != std::string_view::npos) return fail("it has a fragment (behind #), which no server gets to see");
    url_.target = rest_.starts_with('/') ? std::string{rest_} : "/" + std::string{rest_};
    return url_;
  }

 private:
  using Problem = std::optional<std::string>;

  Error fail(const std::string& why) const { return {ErrorCode::invalid_argument, "The URL " + quoted(whole_) + " is malformed: " + why + "."}; }

  Problem read_scheme() {
    const std::size_t end = rest_.find("://");
    const std::string name = lower(rest_.substr(0, end == std::string_view::npos ? 0 : end));
    const auto row = std::ranges::find_if(kSchemes, [&](const SchemeRow& r) { return r.name == name; });
    if (row == kSchemes.end()) return "it does not begin with http://, https://, ws:// or wss://";
    url_.scheme = row->scheme;
    url_.port = row->port;
    rest_.remove_prefix(end + 3);
    return {};
  }

  Problem read_authority(std::string_view authority) {
    if (authority.find('@') != std::string_view::npos) return "it has a user name or a password (before @), which are not supported here";
    std::string_view port;
    bool has_port = false;
    if (authority.starts_with('[')) {
      const std::size_t end = authority.find(']');
      if (end == std::string_view::npos) return "the [ of its IPv6 address has no ]";
      url_.host = lower(authority.substr(1, end - 1));
      if (!is_ipv6(url_.host)) return "what stands in [ ] is no IPv6 address";
      port = authority.substr(end + 1);
      has_port = !port.empty();
      if (has_port && port.front() != ':') return "something other than a port follows its IPv6 address";
      if (has_port) port.remove_prefix(1);
    } else {
      const std::size_t colon = authority.find(':');
      has_port = colon != std::string_view::npos;
      if (has_port) port = authority.substr(colon + 1);
      url_.host = lower(authority.substr(0, colon));
      if (url_.host.empty()) return "it names no host";
      if (!is_name(url_.host)) return "the name of its host has a character that no host's has (an IPv6 address stands in [ ])";
    }
    return has_port ? read_port(port) : Problem{};
  }

  Problem read_port(std::string_view digits) {
    const char* const end = digits.data() + digits.size();
    const auto [rest, code] = std::from_chars(digits.data(), end, url_.port);
    if (code != std::errc{} || rest != end || url_.port == 0) return "its port is no number from 1 to 65535";
    return {};
  }

  std::string_view whole_, rest_;
  Url url_;
};

/// RFC 3986, section 5.2.4, for a path that begins with a slash.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    const bool last = path.empty();
    if (segment == "/.") {
      if (last) out += '/';
    } else if (segment == "/..") {
      out.erase(std::min(out.rfind('/'), out.size()));
      if (last) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

}  // namespace

bool Url::host_is_address() const { return is_ipv4(host) || is_ipv6(host); }

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == row_of(scheme).port ? name : name + ":" + std::to_string(port);
}

std::string Url::text() const { return std::string{row_of(scheme).name} + "://" + authority() + target; }

Result<Url> parse_url(std::string_view text) { return UrlReader{text}.read(); }

Result<Url> resolve_reference(const Url& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const std::string scheme{row_of(base.scheme).name};
  const std::string origin = scheme + "://" + base.authority();
  const std::size_t colon = reference.find(':');
  std::string whole;
  if (colon != std::string_view::npos && colon < reference.find_first_of("/?")) {
    whole = reference;
  } else if (reference.starts_with("//")) {
    whole = scheme + ":" + std::string{reference};
  } else {
    const std::string_view base_path = std::string_view{base.target}.substr(0, base.target.find('?'));
    const std::string_view path = reference.substr(0, reference.find('?')), query = reference.substr(path.size());
    std::string merged{path};
    if (path.empty()) merged = base_path;
    else if (!path.starts_with('/')) merged = std::string{base_path.substr(0, base_path.rfind('/') + 1)} + std::string{path};
    whole = origin + without_dot_segments(merged) + std::string{query};
  }
  return parse_url(whole);
}

}  // namespace tuxarium::net
