// Who may connect: named secrets.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>

namespace tuxarium::bridge {

class Tokens {
 public:
  static constexpr std::size_t kShortest = 16, kLongest = 256;  ///< characters of a secret

  /// Adds a token. A secret is printable ASCII without blanks, commas and quotes.
  Result<void> add(const std::string& name, const std::string& secret);

  /// Adds those in a file: a name, blanks and a secret on each line; empty lines and lines that begin with # are skipped.
  Result<void> add_file(const std::filesystem::path& path);

  bool empty() const { return tokens_.empty(); }

  /// The name of the token whose secret is `offered`. Takes as long whichever token it is, and however much of it is right.
  std::optional<std::string> name_of(std::string_view offered) const;

 private:
  struct Token {
    std::string name, secret;
  };
  std::vector<Token> tokens_;
};

/// True when both are the same; the time depends on the length of `offered` alone.
bool same_secret(std::string_view secret, std::string_view offered);

/// What a client showed: the secret in "Authorization: Bearer SECRET" or as the password of "Authorization: Basic ...".
std::optional<std::string> secret_of_authorization(std::string_view header);

/// A secret as a subprotocol "bearer.SECRET" among those in Sec-WebSocket-Protocol, and the one to answer with: another of the list if there is
/// one, because a browser wants one of its own back, or else that one.
struct Subprotocols {
  std::optional<std::string> secret;
  std::string answer;  ///< empty: none
};
Subprotocols read_subprotocols(std::string_view header);

}  // namespace tuxarium::bridge
