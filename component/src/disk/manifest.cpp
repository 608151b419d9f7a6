#include "disk/manifest.hpp"

#include <bit>
#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <system_error>

namespace tuxarium::disk {

namespace {

constexpr std::string_view kFirstLine = "tuxarium-disk 1";
constexpr std::uint64_t kSectorBytes = 512;

/// Takes lines off the front of a text and makes errors that name the line.
class LineReader {
 public:
  LineReader(std::string_view text, const std::string& name) : rest_{text}, name_{name} {}

  bool at_end() const { return rest_.empty(); }

  /// The next line without its LF; nothing at the end or when the LF is missing.
  std::optional<std::string_view> next() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  /// A line `key number`.
  Result<std::uint64_t> next_number(std::string_view key) {
    const auto line = next();
    if (!line) return error("the line \"" + std::string{key} + " NUMBER\" is missing or has no line end");
    const std::string prefix = std::string{key} + " ";
    if (!line->starts_with(prefix)) return error("expected \"" + prefix + "NUMBER\"");
    const std::string_view digits = line->substr(prefix.size());
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc{} || end != digits.data() + digits.size() || (digits.size() > 1 && digits[0] == '0')) {
      return error("the value of \"" + std::string{key} + "\" is not a decimal number below 2^64");
    }
    return value;
  }

  Error error(const std::string& what) const {
    return {ErrorCode::bad_image, "The disk manifest " + name_ + " is malformed in line " + std::to_string(number_) + ": " + what + "."};
  }

 private:
  std::string_view rest_;
  const std::string& name_;
  std::uint64_t number_ = 0;
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<Manifest::Piece> parse_piece(std::string_view line) {
  Manifest::Piece piece;
  if (line == "zero") {
    piece.zero = true;
    return piece;
  }
  if (line.size() != 2 * piece.digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < piece.digest.size(); ++i) {
    const int high = hex_value(line[2 * i]), low = hex_value(line[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    piece.digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return piece;
}

}  // namespace

std::string piece_name(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "hda%09llu.bin", static_cast<unsigned long long>(number));
  return name;
}

std::uint64_t content_id(const Manifest& manifest) {
  const std::string text = format_manifest(manifest);
  const Sha256Digest digest = sha256(std::as_bytes(std::span{text}));
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i) id |= std::uint64_t{digest[i]} << (8 * i);
  return id == 0 ? 1 : id;
}

bool valid_piece_size(std::uint64_t bytes) { return std::has_single_bit(bytes) && bytes >= kMinPieceBytes && bytes <= kMaxPieceBytes; }

Result<Manifest> parse_manifest(std::string_view text, const std::string& name) {
  LineReader lines{text, name};
  if (lines.next() != kFirstLine) return lines.error("it does not begin with \"" + std::string{kFirstLine} + "\"");

  const auto piece_bytes = lines.next_number("piece-size");
  if (!piece_bytes) return piece_bytes.error();
  if (!valid_piece_size(*piece_bytes)) return lines.error("the piece size is not a power of two from 512 to 16777216");

  const auto sectors = lines.next_number("sectors");
  if (!sectors) return sectors.error();
  const auto pieces = lines.next_number("pieces");
  if (!pieces) return pieces.error();
  if (*pieces == 0 || *pieces > kMaxPieces) return lines.error("the number of pieces is not from 1 to " + std::to_string(kMaxPieces));
  const std::uint64_t piece_sectors = *piece_bytes / kSectorBytes;
  if (*sectors > *pieces * piece_sectors || *sectors <= (*pieces - 1) * piece_sectors) {
    return lines.error(std::to_string(*pieces) + " pieces of " + std::to_string(*piece_bytes) + " bytes do not fit " +
                       std::to_string(*sectors) + " sectors");
  }

  Manifest manifest{.piece_bytes = static_cast<std::uint32_t>(*piece_bytes), .sectors = *sectors, .pieces = {}};
  for (std::uint64_t i = 0; i < *pieces; ++i) {
    const auto line = lines.next();
    if (!line) return lines.error("it ends at piece " + std::to_string(i) + " of " + std::to_string(*pieces));
    const auto piece = parse_piece(*line);
    if (!piece) return lines.error("piece " + std::to_string(i) + " is neither 64 lower-case hexadecimal digits nor \"zero\"");
    manifest.pieces.push_back(*piece);
  }
  if (!lines.at_end()) {
    (void)lines.next();
    return lines.error("there is more after the last piece");
  }
  return manifest;
}

std::string format_manifest(const Manifest& manifest) {
  std::string text{kFirstLine};
  text += "\npiece-size " + std::to_string(manifest.piece_bytes);
  text += "\nsectors " + std::to_string(manifest.sectors);
  text += "\npieces " + std::to_string(manifest.pieces.size()) + "\n";
  for (const Manifest::Piece& piece : manifest.pieces) text += (piece.zero ? "zero" : to_hex(piece.digest)) + "\n";
  return text;
}

}  // namespace tuxarium::disk
