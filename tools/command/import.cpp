// sluice import: reads a model that another program trained.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "../common/error.h"
#include "../common/hash.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../convert/self_test.h"
#include "../data/npy.h"
#include "../data/parse_number.h"
#include "../import/read.h"
#include "../import/verify.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../recipe/keys.h"
#include "../recipe/made.h"
#include "../recipe/read.h"
#include "../recipe/values.h"
#include "command.h"

namespace sluice::tools {
namespace {

/// Returns the number of frames of a test vector that the model's test of itself keeps: as many as
/// a few kilobytes hold, since they take flash.
std::size_t self_test_steps(std::size_t inputs, std::size_t outputs) {
  constexpr std::size_t bytes = 4096, least = 4, most = 64;
  return std::clamp(bytes / (sizeof(float) * (inputs + outputs)), least, most);
}

std::vector<std::string> numbered(const char* letter, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", letter, i));
  return names;
}

/// Returns the names that an option gives. Refuses another number of them, and two equal ones.
std::vector<std::string> names_of(const std::vector<std::string>& given, const char* option,
                                  std::size_t count, const std::string& file) {
  for (std::size_t i = 0; i < given.size(); ++i)
    if (given[i].empty() || std::find(given.begin(), given.begin() + std::ptrdiff_t(i), given[i]) !=
                                given.begin() + std::ptrdiff_t(i))
      refuse("{}: \"{}\" is empty or there twice; give each its own name", option, given[i]);
  if (given.size() != count)
    refuse("{}: {} names, and {} has {}; give one for each", option, given.size(), file, count);
  return given;
}

/// Puts a standardization before the first layer, whose means and deviations a file gives, a line
/// for each input: name, mean, deviation.
/// @param named  whether the names of the inputs are known; else they are those of the file
void standardize(Network& network, const std::string& path, bool named) {
  const std::string text = read_file(path);
  Layer layer = make_layer(SLUICE_STANDARDIZE, frame_width(network), frame_width(network));
  std::vector<float>&scale = layer.array(Role::scale).values,
  &mean = layer.array(Role::mean).values;
  std::size_t row = 0, number = 0;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || (number == 0 && line == "feature,mean,deviation")) continue;
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    const auto m = first < second && second != line.npos
                       ? parse_double(line.substr(first + 1, second - first - 1))
                       : std::nullopt;
    const auto deviation = second != line.npos && first < second
                               ? parse_double(line.substr(second + 1))
                               : std::nullopt;
    if (!m || !deviation || !(*deviation > 0) || !std::isfinite(*deviation))
      refuse("{}:{}: \"{}\" is not \"feature,mean,deviation\" with a deviation above 0", path,
             number + 1, brief(line));
    if (row < mean.size() && !named) network.inputs[row] = line.substr(0, first);
    if (row < mean.size() && line.substr(0, first) != network.inputs[row])
      refuse(
          "{}:{}: \"{}\" stands in the place of the input \"{}\"; give the inputs in their order",
          path, number + 1, brief(line.substr(0, first)), brief(network.inputs[row]));
    if (row < mean.size()) mean[row] = float(*m), scale[row] = float(1 / *deviation);
    ++row;
  }
  if (row != mean.size())
    refuse("{}: {} features, and the model has {} inputs; give a line for each", path, row,
           mean.size());
  insert_layer(network, 0, std::move(layer));
  network.width = frame_width(network);
  for (std::size_t l = 1; l < network.layers.size(); ++l) {
    Layer& later = network.layers[l];
    std::replace(later.sources.begin(), later.sources.end(), 0u, 1u);
  }
}

/// Returns a recipe that says which columns of data are the model's inputs and answers.
Recipe columns_of_import(const ImportOptions& options, const Network& network) {
  Recipe recipe = default_recipe();
  recipe.file = options.file;
  const Layer& last = network.layers[answers_of(network).back() - (network.layers.size() ? 1 : 0)];
  const bool classes =
      answers_of(network).size() == 1 &&
      (last.activation == SLUICE_SOFTMAX ||
       (last.activation == SLUICE_SIGMOID && last.out == 1 && network.labels.size() == 2));
  recipe.target_type = classes ? TargetType::classes : TargetType::values;
  if (!classes) recipe.target = network.labels;
  recipe.target_per = one_row_per_sequence(network).back() ? TargetPer::sequence : TargetPer::row;
  recipe.loss = !classes                            ? LossKind::mse
                : last.activation == SLUICE_SOFTMAX ? LossKind::cross_entropy
                                                    : LossKind::binary;
  for (const std::string& text : options.set) {
    const Override given = parse_override(text);
    const Key* const key = find_key(given.key);
    if (!key || !(key->name.starts_with("data.") || key->name == "train.loss"))
      refuse("{}: not a key of data; give one such as data.sequence, data.target or data.window",
             given.origin);
    set_text(recipe, *key, given.value, given.origin);
  }
  return recipe;
}

/// Returns the arrays of --check in the reading with which the model agrees, or else in the
/// likeliest.
/// @param mask  frames of this number alone are left out
Reading read_check(const OwnedModel& model, const std::vector<std::string>& files, double tolerance,
                   std::optional<float> mask) {
  constexpr std::size_t any = 32;
  const Npy x = parse_npy(read_file(files[0]), files[0], any),
            y = parse_npy(read_file(files[1]), files[1], any);
  std::vector<Reading> readings = readings_of(model, x, y);
  for (Reading& reading : readings)
    if (mask) leave_out(reading.tests, *mask, model.info().outputs);
  for (Reading& reading : readings)
    if (compare(model, reading.tests).share() <= tolerance) return std::move(reading);
  return std::move(readings.front());
}

/// Tells how far the answers differ. Fails (exit code 1) if that is more than the tolerance.
void tell(const Agreement& agreement, const std::string& from, const std::string& file,
          double tolerance, const std::string& shape = "") {
  const std::string found = fmt::format(
      "{} numbers of answers to {}; the largest difference is {:.3g}, {:.2g} of the largest "
      "answer",
      with_commas(agreement.numbers),
      shape.empty() ? with_commas(agreement.steps) + " steps" : shape, agreement.difference,
      agreement.share());
  if (!(agreement.share() <= tolerance))
    fail(
        "{}: does not answer as {} says: {} (sequence {}, step {}, output {}); the tolerance is "
        "{:.2g}, and no model was written",
        file, from, found, agreement.sequence + 1, agreement.row + 1, agreement.output + 1,
        tolerance);
  print("agrees with {}: {}\n", from, found);
}

/// Runs the tests in the file and those of --check on the model as the file has it, before a
/// standardization, and returns them. Fails (exit code 1) if answers differ.
std::vector<TestVector> tested(Imported& imported, const ImportOptions& options, double tolerance) {
  const OwnedModel model = open_model(write_blob(imported.network), options.file);
  if (!imported.tests.empty())
    tell(compare(model, imported.tests), "the file's own test", options.file, tolerance);
  std::vector<TestVector> tests = std::move(imported.tests);
  if (!options.check.empty()) {
    Reading given = read_check(model, options.check, tolerance, imported.mask);
    tell(compare(model, given.tests), options.check[1], options.file, tolerance, given.shape);
    std::move(given.tests.begin(), given.tests.end(), std::back_inserter(tests));
  }
  return tests;
}

void explain(const Imported& imported) {
  std::vector<std::vector<std::string>> rows = {{"in the file", "in the model"}};
  for (const Origin& origin : imported.origins) rows.push_back({origin.from, origin.became});
  print("{}", table(rows));
}

void check_replaceable(const ImportOptions& options) {
  std::error_code unknown;
  if (!options.force && std::filesystem::exists(options.out, unknown))
    refuse("--out {}: exists; choose another name, or replace it with --force", options.out);
}

/// Returns the numbers in a frame that the command line says; 0: none.
std::int64_t frame_of(const ImportOptions& options) {
  if (options.frame.empty()) return 0;
  const auto given = parse_double(options.frame);
  if (!given || !(*given >= 1) || *given > widest || *given != double(std::int64_t(*given)))
    refuse("--frame {}: not a number of numbers; give 1 to {}", brief(options.frame), widest);
  return std::int64_t(*given);
}

}  // namespace

void run_import(const ImportOptions& options) {
  constexpr double usual_tolerance = 2e-6;
  if (options.out.empty() && !options.explain)
    refuse("sluice import: give --out, a file for the model, or --explain");
  const double tolerance = [&] {
    if (options.tolerance.empty()) return usual_tolerance;
    const auto given = parse_double(options.tolerance);
    if (!given || !(*given > 0))
      refuse("--tolerance {}: not a number above 0", brief(options.tolerance));
    return *given;
  }();
  std::vector<std::string> read = {options.file};
  for (const std::string& file : options.check) read.push_back(file);
  if (!options.layers.empty()) read.push_back(options.layers);
  if (!options.standardize.empty()) read.push_back(options.standardize);
  if (!options.out.empty()) check_output("--out", options.out, read);
  if (!options.out.empty()) check_replaceable(options);

  ImportChoices choices{options.layers, {}};
  if (options.reset == "after") choices.graph.reset = ResetChoice::after;
  if (options.reset == "before") choices.graph.reset = ResetChoice::before;
  choices.graph.frame = frame_of(options);
  Imported imported = read_foreign(options.file, choices);
  Network& network = imported.network;
  if (options.explain) explain(imported);
  const auto inputs = std::size_t(frame_width(network)),
             outputs = std::size_t(network.layers.back().out);
  if (!options.inputs.empty())
    network.inputs = names_of(options.inputs, "--inputs", inputs, options.file);
  const bool named = network.inputs.size() == inputs;
  if (!named) network.inputs = numbered("x", inputs);
  const bool one_of_two = outputs == 1 && options.outputs.size() == 2 &&
                          network.layers.back().activation == SLUICE_SIGMOID;
  if (!options.outputs.empty())
    network.labels = names_of(options.outputs, "--outputs", one_of_two ? 2 : outputs, options.file);
  if (network.labels.size() != outputs && !one_of_two) network.labels = numbered("y", outputs);

  for (const std::string& remark : imported.remarks) print("{}\n", remark);
  std::vector<TestVector> tests = tested(imported, options, tolerance);
  if (options.out.empty()) return;
  if (!options.standardize.empty()) standardize(network, options.standardize, named);
  network.made = made_of_import(columns_of_import(options, network), imported.format,
                                hash_of(read_file(options.file)), imported.mask);
  OwnedModel model = open_model(write_blob(network), options.file);
  if (!tests.empty() && options.standardize.empty()) {
    std::vector<std::vector<float>> frames;
    const std::size_t two = model.info().first_answer + std::size_t(model.info().stride) + 1,
                      enough = std::max(self_test_steps(inputs, outputs), two);
    for (const TestVector& test : tests)
      if (frames.empty())
        frames.emplace_back(test.x.begin(),
                            test.x.begin() + std::ptrdiff_t(std::min(test.steps, enough) *
                                                            (test.x.size() / test.steps)));
    network.self_test = self_test_of(model, frames);
    model = open_model(write_blob(network), options.file);
  }
  write_file(options.out, {reinterpret_cast<const char*>(model.blob.data.get()), model.blob.size});
  print("wrote {}: {}, {} inputs, {} outputs, answers {}; {} bytes\n", options.out, imported.format,
        inputs, outputs, answers_when(model.info()), with_commas(model.info().bytes));
}

}  // namespace sluice::tools
