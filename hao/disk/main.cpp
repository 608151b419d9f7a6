// tuxarium-disk: makes, checks and changes the disks of a guest.
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "disk/manifest.hpp"

namespace {

using namespace tuxarium;
using namespace tuxarium::disk_tool;

constexpr int kFailed = 2;

struct Options {
  std::string disk, overlay, output, folder;
  std::uint64_t piece_bytes = 65536, bytes = 0;
  bool force = false, zero_files = false;
};

int finish(const Result<void>& result) {
  if (result) return 0;
  std::fprintf(stderr, "tuxarium-disk: %s\n", result.error().message.c_str());
  return kFailed;
}

int finish(const Result<std::string>& result) {
  if (!result) return finish(Result<void>{result.error()});
  std::printf("%s%s", result->c_str(), result.value().ends_with('\n') ? "" : "\n");
  return std::fflush(stdout) == 0 ? 0 : finish(Result<void>{Error{ErrorCode::io, "Cannot write to standard output."}});
}

Result<void> do_split(const Options& o) {
  if (!disk::valid_piece_size(o.piece_bytes)) return Error{ErrorCode::invalid_argument, "The piece size is not a power of two from 512 to 16777216."};
  return split(o.disk, o.overlay, o.output, static_cast<std::uint32_t>(o.piece_bytes), o.zero_files);
}

void add_disk(CLI::App* command, Options& o) {
  command->add_option("DISK", o.disk, "raw image file, or folder of pieces hda%09d.bin")->required();
}
void add_optional_overlay(CLI::App* command, Options& o) {
  command->add_option("--overlay", o.overlay, "file with what a guest has written to the disk")->type_name("FILE");
}
void add_force(CLI::App* command, Options& o, const char* what) { command->add_flag("--force", o.force, what); }

int run(int argc, char** argv) {
  CLI::App app{"Makes, checks and changes the disks of a guest. Outputs appear under their name only when they are whole.", "tuxarium-disk"};
  app.require_subcommand(1);
  Options o;

  auto* merge_command = app.add_subcommand("merge", "write a disk, and an overlay on it, as one raw image");
  add_disk(merge_command, o);
  merge_command->add_option("OUTPUT", o.output, "the raw image")->required();
  add_optional_overlay(merge_command, o);
  add_force(merge_command, o, "replace OUTPUT");

  auto* split_command = app.add_subcommand("split", "write a disk, and an overlay on it, as pieces with a manifest");
  add_disk(split_command, o);
  split_command->add_option("OUTPUT", o.output, "the folder, new or empty")->required();
  add_optional_overlay(split_command, o);
  split_command->add_option("--piece-size", o.piece_bytes, "bytes of a piece")->transform(CLI::AsSizeValue(false))->capture_default_str();
  split_command->add_flag("--zero-files", o.zero_files, "also write the pieces that hold only zeros, for programs that know no manifest");

  auto* verify_command = app.add_subcommand("verify", "read all of a disk or an overlay and compare its checksums");
  verify_command->add_option("DISK", o.disk, "raw image, folder of pieces, or overlay")->required();

  auto* info_command = app.add_subcommand("info", "say what a disk or an overlay is");
  info_command->add_option("DISK", o.disk, "raw image, folder of pieces, or overlay")->required();

  auto* create_command = app.add_subcommand("create", "make an ext2 image with the content of a folder (with mke2fs, without root)");
  create_command->add_option("FOLDER", o.folder, "what becomes the root of the disk")->required();
  create_command->add_option("OUTPUT", o.output, "the raw image")->required();
  auto* size = create_command->add_option("--size", o.bytes, "size of the disk, such as 16M; otherwise as large as the content needs")
                   ->transform(CLI::AsSizeValue(false))
                   ->type_name("SIZE");
  add_force(create_command, o, "replace OUTPUT");

  auto* commit_command = app.add_subcommand("commit", "put what an overlay holds in its disk, and remove the overlay");
  add_disk(commit_command, o);
  commit_command->add_option("OVERLAY", o.overlay, "the overlay, which no machine uses")->required();

  auto* discard_command = app.add_subcommand("discard", "remove an overlay that no machine uses");
  discard_command->add_option("OVERLAY", o.overlay, "the overlay")->required();
  add_force(discard_command, o, "also when it is damaged");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);
    return finish(Result<void>{Error{ErrorCode::invalid_argument, std::string{problem.what()} + " (--help lists the commands)."}});
  }
  if (*merge_command) return finish(merge(o.disk, o.overlay, o.output, o.force));
  if (*split_command) return finish(do_split(o));
  if (*verify_command) return finish(verify(o.disk));
  if (*info_command) return finish(info(o.disk));
  if (*create_command) return finish(create(o.folder, o.output, size->count() == 0 ? std::nullopt : std::optional{o.bytes}, o.force));
  if (*commit_command) return finish(commit(o.disk, o.overlay));
  return finish(discard(o.overlay, o.force));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tuxarium-disk: %s.\n", problem.what());
    return kFailed;
  }
}
