// Makes a case for a board from a blob: frames by an integer formula, and what the scalar kernels answer to them.
//   make_case BLOB FOLDER/NAME     writes NAME.slu, NAME.in, NAME.out
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "frames.h"

namespace {

constexpr size_t frames = 64;

struct alignas(64) Line {
  char bytes[64];
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "make_case: %s\n", what.c_str());
  std::exit(1);
}

void write(const std::string& path, const void* data, size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), std::streamsize(bytes));
  if (!file.flush()) fail("cannot write " + path);
}

/// Multiples of 2^-13 in [-4, 4).
std::vector<float> make_frames(size_t numbers) {
  std::vector<float> x(numbers);
  uint32_t bits = 1;
  for (float& v : x) {
    bits = bits * 1664525u + 1013904223u;
    v = float(int32_t(bits) >> 16) / 8192.0f;
  }
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) fail("usage: make_case BLOB FOLDER/NAME");
  const std::string name = argv[2];
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) fail(std::string("cannot read ") + argv[1]);
  std::vector<Line> blob(text.size() / sizeof(Line) + 1);
  text.copy(blob[0].bytes, text.size());

  sluice_model model;
  if (const sluice_status status = sluice_open(&model, blob.data(), text.size(), "scalar")) fail(sluice_status_text(status));
  const sluice_use use = {1, 1};
  const sluice_need need = sluice_needs(&model, use);
  std::vector<Line> state(need.state / sizeof(Line) + 1), scratch(need.scratch / sizeof(Line) + 1);
  sluice_stream stream;
  if (const sluice_status status = sluice_start(&stream, &model, use, state.data(), need.state, scratch.data(), need.scratch))
    fail(sluice_status_text(status));

  const std::vector<float> x = make_frames(frames * sluice_describe(&model).inputs);
  std::vector<char> y(frames * answer_bytes(model));
  for (size_t i = 0; i < frames; ++i)
    step(&stream, reinterpret_cast<const char*>(x.data()) + i * frame_bytes(model), y.data() + i * answer_bytes(model));
  write(name + ".slu", text.data(), text.size());
  write(name + ".in", x.data(), frames * frame_bytes(model));
  write(name + ".out", y.data(), y.size());
}
