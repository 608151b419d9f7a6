#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tokens.hpp"

using namespace tuxarium::bridge;

namespace {

const std::string kAlice = "alice-0123456789", kBob = "bob-0123456789abc";

Tokens two() {
  Tokens tokens;
  REQUIRE(tokens.add("alice", kAlice));
  REQUIRE(tokens.add("bob", kBob));
  return tokens;
}

tuxarium::Result<void> from_file(const std::string& content, Tokens& tokens) {
  const auto path = std::filesystem::temp_directory_path() / ("tokens_test." + std::to_string(::getpid()));
  std::ofstream{path} << content;
  auto added = tokens.add_file(path);
  std::filesystem::remove(path);
  return added;
}

}  // namespace

TEST_CASE("tokens: each has its name, nothing else has one") {
  const Tokens tokens = two();
  CHECK(tokens.name_of(kAlice) == "alice");
  CHECK(tokens.name_of(kBob) == "bob");
  for (const std::string& wrong : {std::string{}, kAlice.substr(1), kAlice.substr(0, 15), kAlice + "x", kAlice + kAlice, std::string(16, '\0'), std::string{"ALICE-0123456789"}})
    CHECK_FALSE(tokens.name_of(wrong));
  CHECK_FALSE(Tokens{}.name_of(""));
}

TEST_CASE("tokens: what is short, odd or there twice is refused with a sentence") {
  Tokens tokens = two();
  CHECK(tokens.add("c", "short").error().message == "the token \"c\" has 5 characters; a token has 16 to 256");
  CHECK_FALSE(tokens.add("c", std::string(257, 'x')));
  CHECK_FALSE(tokens.add("c", "with a blank 0123456789"));
  CHECK_FALSE(tokens.add("c", "with,comma-0123456789"));
  CHECK_FALSE(tokens.add("alice", "another-0123456789"));
  CHECK_FALSE(tokens.add("c", kBob));
}

TEST_CASE("tokens: a file") {
  Tokens tokens;
  REQUIRE(from_file("# people\n\nalice   " + kAlice + "\nbob\t" + kBob + "\n", tokens));
  CHECK(tokens.name_of(kBob) == "bob");
  Tokens none;
  CHECK(from_file("alice\n", none).error().message.starts_with("line 1 of "));
  CHECK_FALSE(from_file("# nobody\n", none));
  CHECK_FALSE(from_file("alice " + kAlice + " more\n", none));
  CHECK_FALSE(none.add_file("/nonexistent/tokens"));
}

TEST_CASE("the secret in Authorization") {
  CHECK(secret_of_authorization("Bearer " + kAlice) == kAlice);
  CHECK(secret_of_authorization("bearer  " + kAlice + " ") == kAlice);
  CHECK(secret_of_authorization("Basic YW55Om15LXNlY3JldDp4") == "my-secret:x");
  CHECK_FALSE(secret_of_authorization("Basic !!!!"));
  CHECK_FALSE(secret_of_authorization("Basic bm9jb2xvbg=="));
  CHECK_FALSE(secret_of_authorization("Digest x"));
  CHECK_FALSE(secret_of_authorization(""));
}

TEST_CASE("the secret among subprotocols, and what to answer") {
  CHECK(read_subprotocols("bearer." + kAlice).secret == kAlice);
  CHECK(read_subprotocols("bearer." + kAlice).answer == "bearer." + kAlice);
  CHECK(read_subprotocols("bearer." + kAlice + ", tuxarium").answer == "tuxarium");
  CHECK(read_subprotocols("tuxarium ,bearer." + kAlice).secret == kAlice);
  CHECK(read_subprotocols("binary").answer == "binary");
  CHECK_FALSE(read_subprotocols("binary").secret);
  CHECK(read_subprotocols("").answer.empty());
  CHECK(read_subprotocols(",, ,").answer.empty());
}
