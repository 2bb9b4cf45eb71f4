// sluice export: writes a model as C source or as a blob for a device.
#include <algorithm>
#include <filesystem>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../convert/cost.h"
#include "../convert/quantize.h"
#include "../convert/self_test.h"
#include "../convert/write_c.h"
#include "../convert/write_keras.h"
#include "../convert/write_onnx.h"
#include "../convert/write_safetensors.h"
#include "../model/cores.h"
#include "../model/model_file.h"
#include "../model/network.h"
#include "../model/order.h"
#include "../model/pack.h"
#include "command.h"

namespace sluice::tools {
namespace fs = std::filesystem;
namespace {

/// Returns the model without names, labels and its record of training. It computes the same.
OwnedModel stripped(const OwnedModel& model, const std::string& name) {
  Network network = read_network(model.model);
  network.inputs.clear();
  network.labels.clear();
  network.made.clear();
  return open_model(write_blob(network), name);
}

/// Returns the model with a section for sluice_selftest.
OwnedModel self_testing(const OwnedModel& model, int sequences, const std::string& name) {
  Network network = read_network(model.model);
  network.self_test = self_test_of(model, sequences);
  return open_model(write_blob(network), name);
}

/// Returns the bytes of the sections that firmware does not need.
std::size_t for_people(const OwnedModel& model) {
  std::size_t sum = 0;
  for (const sluice_section_kind kind :
       {SLUICE_SECTION_NAMES, SLUICE_SECTION_LABELS, SLUICE_SECTION_MADE}) {
    std::size_t bytes = 0;
    if (sluice_section(&model.model, kind, &bytes)) sum += bytes;
  }
  return sum;
}

/// Puts the weights into another core's order, in place.
void reorder(OwnedModel& model, Order order) {
  const std::string bytes = in_order(bytes_of(model), order);
  std::copy(bytes.begin(), bytes.end(), model.blob.data.get());
}

bool is_for_other_programs(const std::string& format) {
  return format == "onnx" || format == "keras" || format == "safetensors";
}

bool exists(const std::string& path) {
  std::error_code unreadable;  // write_all reports such a path
  return fs::exists(path, unreadable);
}

/// Refuses to replace any file except an earlier export.
void check_replaceable(const NamedBytes& file) {
  if (!exists(file.path)) return;
  const std::string old = read_file(file.path);
  if (old != file.bytes && !old.starts_with("/* A Sluice model"))
    refuse("{}: exists and holds something else; choose another --out, or replace it with --force",
           file.path);
}

/// Returns whether a C header of another model is there, by the hash that it defines.
bool holds_another(const std::string& header, const sluice_model& model) {
  if (!exists(header)) return false;
  const std::string old = read_file(header);
  return old.find("#define MODEL_HASH ") != old.npos &&
         old.find(fmt::format("{:016x}", sluice_hash(&model))) == old.npos;
}

/// Returns the files of a float model for other programs.
std::vector<NamedBytes> for_other_programs(const OwnedModel& model, const ExportOptions& options) {
  if (model.info().format != SLUICE_F32)
    refuse("{}: is {}; {} takes the float model that it was made of", options.model,
           sluice_format_name(model.info().format), options.format);
  if (!options.core.empty() || options.self_test || options.strip)
    refuse("--format {}: is not for devices; leave out --core, --self-test and --strip",
           options.format);
  const fs::path folder(options.out);
  const Network network = read_network(model.model);
  if (options.format == "onnx")
    return {{folder / "model.onnx", write_onnx(network, options.model)}};
  if (options.format == "keras")
    return {{folder / "model.keras", write_keras(network, options.model)}};
  Safetensors files = write_safetensors(network, options.model);
  return {{folder / "model.safetensors", std::move(files.tensors)},
          {folder / "layers.toml", std::move(files.layers)}};
}

/// Writes all of the files. If one cannot be written, no file and no new folder remains.
void write_all(const std::string& folder, const std::vector<NamedBytes>& files) {
  const std::vector<std::string> made = make_directory(folder);
  try {
    write_files(files);
  } catch (...) {
    std::error_code ignored;
    for (const std::string& path : made) fs::remove(path, ignored);
    throw;
  }
}

}  // namespace

void run_export(const ExportOptions& options) {
  OwnedModel model = load_model(options.model);
  if (model.info().format != SLUICE_F32)
    prove_no_overflow(read_network(model.model), options.model);
  const OwnedModel named = open_model(bytes_of(model), options.model);
  if (options.strip) model = stripped(model, options.model);
  if (options.self_test) model = self_testing(model, options.self_test, options.model);
  if (!options.core.empty()) {
    const Order order = order_of_core(options.core);
    if (!runs_on(options.core, sluice_format(model.info().format), "--core " + options.core))
      refuse(
          "{}: {} has no float unit with fused multiply-add; convert the model with sluice "
          "quantize",
          options.model, options.core);
    reorder(model, order);
  }
  const fs::path folder(options.out);
  std::vector<NamedBytes> files;
  if (is_for_other_programs(options.format)) {
    files = for_other_programs(model, options);
  } else if (options.format == "c") {
    CSource c = write_c(model, named, options.core);
    files = {{folder / "model.c", std::move(c.source)}, {folder / "model.h", std::move(c.header)}};
  } else {
    files = {{folder / "model.slu", bytes_of(model)}};
  }
  if (!options.force)
    for (const NamedBytes& file : files) check_replaceable(file);
  const bool another = options.format == "c" && holds_another(files[1].path, model.model);
  write_all(options.out, files);

  const sluice_need need = sluice_needs(&model.model, {1, 1});
  for (const NamedBytes& file : files)
    print("wrote {}{}\n", file.path, another ? ", in place of another model" : "");
  if (is_for_other_programs(options.format)) return;
  const std::size_t read = for_people(model);
  print("{} bytes of flash for the model{}; {} bytes of RAM for each stream and {} for scratch\n",
        with_commas(model.info().bytes),
        read ? fmt::format(", {} of them names, labels and history, which --strip leaves out",
                           with_commas(read))
             : "",
        with_commas(need.state), with_commas(need.scratch));
}

}  // namespace sluice::tools
