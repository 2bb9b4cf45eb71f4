#include "model_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/safe_file.h"
#include "blob_text.h"
#include "order.h"
#include "runtime/layer.h"
#include "vocabulary.h"

namespace sluice::tools {
namespace {

constexpr std::size_t alignment = weight_alignment;

/// Returns the names in a section; none if their number does not fit, as may happen in a foreign
/// blob.
std::vector<std::string> names_of(const sluice_model& model, sluice_section_kind kind,
                                  std::size_t expected) {
  std::vector<std::string> names = section_strings(model, kind);
  if (names.size() != expected) names.clear();
  return names;
}

std::vector<std::string> runnable_tables() {
  int count = 0;
  const Kernels* const* tables = kernel_tables(&count);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i)
    if (runs_here(*tables[i])) names.emplace_back(tables[i]->name);
  return names;
}

const char* advice(sluice_status status) {
  switch (status) {
    case SLUICE_NOT_A_BLOB:
      return "; give a model that sluice train or sluice export wrote";
    case SLUICE_TRUNCATED:
    case SLUICE_CHECKSUM:
      return "; copy or export it again";
    default:
      return "";
  }
}

[[noreturn]] void refuse_blob(std::string_view bytes, const std::string& name,
                              sluice_status status) {
  if (bytes.empty())
    refuse("{}: is empty; give a model that sluice train or sluice export wrote", name);
  if (status == SLUICE_NEWER_FORMAT) {
    std::uint16_t version[2] = {};
    std::memcpy(version, bytes.data() + offsetof(BlobHeader, major), sizeof version);
    refuse(
        "{}: blob format {}.{} is newer than this runtime ({}.x); export it again, or update the "
        "runtime",
        name, version[0], version[1], SLUICE_BLOB_MAJOR);
  }
  // The sections of such a blob are sound.
  if (status == SLUICE_LAYER_MISSING || status == SLUICE_FORMAT_MISSING) {
    const auto* blob = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto* layers = reinterpret_cast<const LayerRecord*>(
        blob + find_section(blob, SLUICE_SECTION_LAYERS)->offset);
    std::uint32_t i = 0;
    while (holds_layer(layers[i])) ++i;
    refuse("{}: layer {} is of kind {} (\"{}\"), number format {}: {}", name, i + 1, layers[i].kind,
           sluice_layer_name(layers[i].kind), layers[i].format, sluice_status_text(status));
  }
  refuse("{}: {}{}", name, sluice_status_text(status), advice(status));
}

}  // namespace

void AlignedBytes::Free::operator()(void* p) const {
  ::operator delete(p, std::align_val_t(alignment));
}

AlignedBytes::AlignedBytes(std::size_t bytes)
    : data(static_cast<unsigned char*>(
          ::operator new(std::max<std::size_t>(bytes, 1), std::align_val_t(alignment)))),
      size(bytes) {}

AlignedBytes AlignedBytes::copy(std::string_view bytes) {
  AlignedBytes result(bytes.size());
  std::copy(bytes.begin(), bytes.end(), result.data.get());
  return result;
}

std::vector<std::string> OwnedModel::classes() const {
  const std::vector<std::string> both = section_strings(model, SLUICE_SECTION_LABELS);
  return info().outputs == 1 && both.size() == 2 ? both : labels();
}

std::vector<std::string> OwnedModel::labels() const {
  if (const auto both = section_strings(model, SLUICE_SECTION_LABELS);
      info().outputs == 1 && both.size() == 2)
    return {both[1]};
  std::vector<std::string> labels = names_of(model, SLUICE_SECTION_LABELS, info().outputs);
  if (!labels.empty() || sluice_vocabulary_of(&model).ids != info().outputs) return labels;
  return tools::names_of(tokens_of(model));  // a model that predicts the next token
}

std::vector<std::string> OwnedModel::inputs() const {
  return names_of(model, SLUICE_SECTION_NAMES, info().inputs);
}

std::string OwnedModel::made() const { return section_text(model, SLUICE_SECTION_MADE); }

std::string bytes_of(const OwnedModel& model) {
  return {reinterpret_cast<const char*>(model.blob.data.get()), model.blob.size};
}

const char* wanted_isa() {
  const char* name = std::getenv("SLUICE_ISA");
  if (!name || !*name) return nullptr;
  const Kernels* kernels = pick_kernels(name);
  if (kernels && runs_here(*kernels)) return name;
  refuse("SLUICE_ISA: {}; give {}, or leave it out for the best",
         kernels ? fmt::format("this CPU does not run {}", name)
                 : fmt::format("\"{}\" is not an instruction set of this build", name),
         fmt::join(runnable_tables(), " or "));
}

OwnedModel open_model(std::string_view bytes, const std::string& name) {
  const char* isa = wanted_isa();
  OwnedModel result{AlignedBytes::copy(bytes), {}};
  sluice_status status = sluice_open(&result.model, result.blob.data.get(), result.blob.size, isa);
  if (status == SLUICE_ORDER) {
    result.blob = AlignedBytes();  // large models are in memory as seldom as possible
    result.blob = AlignedBytes::copy(in_own_order(bytes));
    status = sluice_open(&result.model, result.blob.data.get(), result.blob.size, isa);
  }
  if (status != SLUICE_OK) refuse_blob(bytes, name, status);
  return result;
}

std::string model_path(const std::string& given) {
  std::error_code unknown;
  const std::filesystem::path model = std::filesystem::path(given) / "model.slu";
  return std::filesystem::exists(model, unknown) ? model.string() : given;
}

OwnedModel load_model(const std::string& path) {
  const std::string file = model_path(path);
  OwnedModel model = open_model(read_file(file), file);
  if (nests_too_deep(model.made()))
    refuse(
        "{}: how it was made: nests deeper than {} levels; use a model as \"sluice train\" writes "
        "it",
        file, json_levels);
  return model;
}

OwnedStream::OwnedStream(const sluice_model& m, sluice_use use) : model(&m) {
  const sluice_need need = sluice_needs(model, use);
  state = AlignedBytes(need.state);
  scratch = AlignedBytes(need.scratch);
  const sluice_status status = sluice_start(&stream, model, use, state.data.get(), state.size,
                                            scratch.data.get(), scratch.size);
  if (status != SLUICE_OK)
    refuse("a stream for {} steps and {} streams: {}", use.steps, use.streams,
           sluice_status_text(status));
}

namespace {

/// Runs frames in the model's own number format.
std::size_t run_fixed(OwnedStream& stream, const void* x, float* y, std::size_t steps) {
  const sluice_info info = sluice_describe(stream.model);
  const std::size_t rows = info.every_step ? steps : 1;
  stream.answers.resize(std::max(stream.answers.size(), rows * info.outputs));
  const std::size_t answers = sluice_run(&stream.stream, x, stream.answers.data(), steps);
  sluice_dequantize(stream.model, stream.answers.data(), y, answers);
  return answers;
}

}  // namespace

std::size_t OwnedStream::run(const float* x, float* y, std::size_t steps) {
  const sluice_info info = sluice_describe(model);
  if (info.format == SLUICE_F32) return sluice_run(&stream, x, y, steps);
  frames.resize(std::max(frames.size(), steps * info.inputs));
  sluice_quantize(model, x, frames.data(), steps);
  return run_fixed(*this, frames.data(), y, steps);
}

std::size_t OwnedStream::run(const std::int32_t* ids, float* y, std::size_t steps) {
  if (sluice_describe(model).format == SLUICE_F32) return sluice_run(&stream, ids, y, steps);
  return run_fixed(*this, ids, y, steps);
}

}  // namespace sluice::tools
