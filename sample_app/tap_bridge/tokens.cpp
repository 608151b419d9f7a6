#include "tokens.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base64.hpp"
#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

constexpr std::string_view kBearer = "bearer.";

bool is_secret_character(char c) { return c > ' ' && c <= '~' && c != ',' && c != '"'; }

bool starts_with_word(std::string_view text, std::string_view word) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return text.size() > word.size() && std::equal(word.begin(), word.end(), text.begin(), [&](char a, char b) { return a == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_secret(std::string_view secret, std::string_view offered) {
  unsigned different = secret.size() == offered.size() ? 0 : 1;
  for (std::size_t i = 0; i < offered.size(); ++i)
    different |= static_cast<unsigned char>(offered[i]) ^ static_cast<unsigned char>(secret.empty() ? 0 : secret[i % secret.size()]);
  volatile unsigned result = different;  // no early way out for a compiler that sees the loop's end
  return result == 0;
}

Result<void> Tokens::add(const std::string& name, const std::string& secret) {
  if (secret.size() < kShortest || secret.size() > kLongest)
    return app::usage_error("the token " + app::in_quotes(name) + " has " + std::to_string(secret.size()) + " characters; a token has " +
                            std::to_string(kShortest) + " to " + std::to_string(kLongest));
  if (!std::all_of(secret.begin(), secret.end(), is_secret_character))
    return app::usage_error("the token " + app::in_quotes(name) + " has a character that is not allowed: printable ASCII without blanks, commas and quotes");
  for (const Token& token : tokens_) {
    if (token.name == name) return app::usage_error("there are two tokens named " + app::in_quotes(name));
    if (token.secret == secret) return app::usage_error("the tokens " + app::in_quotes(token.name) + " and " + app::in_quotes(name) + " are the same");
  }
  tokens_.push_back({name, secret});
  return {};
}

Result<void> Tokens::add_file(const std::filesystem::path& path) {
  std::ifstream file{path};
  if (!file) return app::usage_error("cannot read the token file " + app::in_quotes(path.string()) + ": " + app::errno_text());
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    std::istringstream words{line};
    std::string name, secret, more;
    if (!(words >> name) || name.starts_with('#')) continue;
    if (!(words >> secret) || words >> more)
      return app::usage_error("line " + std::to_string(number) + " of " + app::in_quotes(path.string()) + " is not a name and a token");
    if (const auto added = add(name, secret); !added) return added.error();
  }
  if (tokens_.empty()) return app::usage_error("there is no token in " + app::in_quotes(path.string()));
  return {};
}

std::optional<std::string> Tokens::name_of(std::string_view offered) const {
  std::optional<std::string> name;
  for (const Token& token : tokens_)
    if (same_secret(token.secret, offered)) name = token.name;
  return name;
}

std::optional<std::string> secret_of_authorization(std::string_view header) {
  if (starts_with_word(header, "bearer ")) return std::string{trimmed(header.substr(7))};
  if (!starts_with_word(header, "basic ")) return std::nullopt;
  std::vector<std::byte> decoded;
  if (!decode_base64(trimmed(header.substr(6)), decoded)) return std::nullopt;
  const std::string_view pair{reinterpret_cast<const char*>(decoded.data()), decoded.size()};
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return std::string{pair.substr(colon + 1)};
}

Subprotocols read_subprotocols(std::string_view header) {
  Subprotocols read;
  std::string with_secret;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view protocol = trimmed(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (starts_with_word(protocol, kBearer) && !read.secret) {
      read.secret = protocol.substr(kBearer.size());
      with_secret = protocol;
    } else if (!protocol.empty() && read.answer.empty()) {
      read.answer = protocol;
    }
  }
  if (read.answer.empty()) read.answer = with_secret;
  return read;
}

}  // namespace tuxarium::bridge
