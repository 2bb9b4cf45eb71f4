// sluice run: computes a model's answers to the sequences in a file.
#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "../common/error.h"
#include "../common/hex.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../convert/saturation.h"
#include "../data/data.h"
#include "../evaluate/evaluate.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/keys.h"
#include "../recipe/made.h"
#include "command.h"
#include "generate.h"

namespace sluice::tools {
namespace {

/// A sequence's answers: one, or one per step.
struct Answers {
  std::vector<float> y;  ///< [rows][outputs]
  std::size_t rows;
};

std::string default_column(std::string_view key) {
  const std::string_view quoted = find_key(key)->fallback;
  return std::string(quoted.substr(1, quoted.size() - 2));
}

/// Returns the columns that the model was trained on, by its record; without one, a recipe's
/// default columns.
Columns columns_for(const OwnedModel& model, const RunOptions& options) {
  const std::string made = model.made();
  if (!made.empty()) return columns_of_made(made, options.model);
  Columns columns;
  columns.sequence = default_column("data.sequence");
  columns.target = {default_column("data.target")};
  return columns;
}

/// Returns the names of the inputs; x0, x1, ... (positions) if the model does not name them.
std::vector<std::string> features_for(const OwnedModel& model) {
  std::vector<std::string> names = model.inputs();
  for (std::uint32_t i = 0; names.size() < model.info().inputs; ++i)
    names.push_back(fmt::format("x{}", i));
  return names;
}

std::vector<std::string> outputs_of(const OwnedModel& model) {
  std::vector<std::string> names = model.labels();
  for (std::uint32_t i = 0; names.size() < model.info().outputs; ++i)
    names.push_back(fmt::format("y{}", i));
  return names;
}

Answers answer(OwnedStream& stream, const sluice_info& info, const DataSet& data, std::size_t s,
               bool every_step) {
  const std::size_t row = data.first[s], steps = data.steps(s);
  /// The answers of a model of differences become values here, unless the model adds the last
  /// values itself.
  const bool differences = data.difference && !adds_frame_columns(read_network(*stream.model));
  const auto add_last = [&](std::vector<float>& y) {
    for (std::size_t i = 0; i < y.size() && differences; ++i)
      y[i] += data.last_at(s, i % info.outputs);
  };
  sluice_reset(&stream.stream);
  Answers answers{{}, every_step ? steps : 1};
  answers.y.resize(answers.rows * info.outputs);
  if (!every_step || info.every_step) {
    run_rows(stream, data, row, steps, answers.y.data());
    add_last(answers.y);
    return answers;
  }
  for (std::size_t t = 0; t < steps; ++t)
    run_rows(stream, data, row + t, 1, &answers.y[t * info.outputs]);
  return answers;
}

/// Returns a field of a CSV file (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_header(const std::string& sequence, bool every_step,
                       const std::vector<std::string>& outputs) {
  std::string line = csv_field(sequence) + (every_step ? ",step" : "");
  for (const std::string& name : outputs) line += "," + csv_field(name);
  return line + "\n";
}

void add_csv(std::string& text, const std::string& name, const Answers& answers, bool every_step,
             bool hex) {
  const std::size_t outputs = answers.y.size() / answers.rows;
  for (std::size_t row = 0; row < answers.rows; ++row) {
    text += csv_field(name);
    if (every_step) text += fmt::format(",{}", row);
    for (std::size_t i = 0; i < outputs; ++i) {
      text += ',';
      text += (hex ? hex_bits : decimal)(answers.y[row * outputs + i]);
    }
    text += '\n';
  }
}

std::string json_string(const std::string& text) { return json_text(Json(text)); }

/// Returns a JSON number; null for NaN and infinity, which JSON cannot express.
std::string json_number(float y, bool hex) {
  if (hex) return "\"" + hex_bits(y) + "\"";
  return std::isfinite(y) ? decimal(y) : "null";
}

void add_json(std::string& text, const std::string& name, const Answers& answers, bool every_step,
              bool hex) {
  const std::size_t outputs = answers.y.size() / answers.rows;
  text += fmt::format("  {{\"sequence\": {}, \"y\": ", json_string(name));
  if (every_step) text += "[";
  for (std::size_t row = 0; row < answers.rows; ++row) {
    text += row ? ", [" : "[";
    for (std::size_t i = 0; i < outputs; ++i)
      text += (i ? ", " : "") + json_number(answers.y[row * outputs + i], hex);
    text += "]";
  }
  text += every_step ? "]}" : "}";
}

/// Records every layer's values, step by step.
struct Tracing {
  const sluice_model& model;
  std::uint32_t step = 0;
  std::string text;

  static void take(void* context, std::uint32_t layer, const void* values, std::uint32_t n) {
    Tracing& t = *static_cast<Tracing*>(context);
    char line[72];
    for (std::uint32_t unit = 0; unit < n; ++unit) {
      const std::size_t length = sluice_trace_line(&t.model, t.step, layer, unit, values, line);
      t.text.append(line, length);
    }
    if (layer == sluice_describe(&t.model).layers) ++t.step;
  }
};

/// Returns the trace of all sequences, stepped one after the other as on a board.
std::string trace_text(const OwnedModel& model, const DataSet& data) {
  OwnedStream stream(model.model, {1, 1});
  Tracing tracing{model.model, 0, ""};
  sluice_trace(&stream.stream, Tracing::take, &tracing);
  std::vector<float> y(model.info().outputs);
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    tracing.text += printable(fmt::format("sequence {}", data.names[s])) + "\n";
    tracing.step = 0;
    sluice_reset(&stream.stream);
    for (std::size_t t = 0; t < data.steps(s); ++t)
      run_rows(stream, data, data.first[s] + t, 1, y.data());
  }
  return std::move(tracing.text);
}

std::string answers_text(const OwnedModel& model, const DataSet& data,
                         const std::string& sequence_column, const RunOptions& options) {
  const sluice_info info = model.info();
  if (options.every_step && info.whole_sequences && !info.every_step)
    refuse("--every-step: {} goes in both directions, and answers a whole sequence once",
           options.model);
  const bool every_step = options.every_step || info.every_step;
  const std::vector<std::string> outputs = outputs_of(model);
  std::string text;
  if (options.json) {
    text = "{\"outputs\": [";
    for (const std::string& name : outputs)
      text += (&name == &outputs.front() ? "" : ", ") + json_string(name);
    text += fmt::format("], \"every_step\": {}, \"sequences\": [\n", every_step);
  } else {
    text = csv_header(sequence_column, every_step, outputs);
  }
  OwnedStream stream(model.model, {steps_at_once(model.model, data, all_sequences(data)), 1});
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const Answers answers = answer(stream, info, data, s, every_step);
    if (options.json && s) text += ",\n";
    (options.json ? add_json : add_csv)(text, data.names[s], answers, every_step, options.hex);
  }
  return options.json ? text + "\n]}\n" : text;
}

/// Reads the input; a file without the sequence column is one sequence. A reader requires that
/// column, but not a group's, so the sequence column is read as the group.
DataSet read_input(const std::string& path, Columns columns, const Expected& expected) {
  if (columns.format != Format::table || columns.windows.length)
    return read_data(path, columns, expected);
  Columns read = columns;
  read.ignore.push_back(columns.group);
  read.group = columns.sequence;
  read.sequence.clear();
  Rows rows = read_rows(path, read, expected);
  if (rows.group.empty()) {
    columns.sequence.clear();
    rows.sequence.assign(rows.rows, "0");
  } else {
    rows.sequence = std::move(rows.group);
  }
  rows.group.clear();
  return assemble(std::move(rows), columns, expected);
}

/// Refuses a request that is neither to answer a file nor to generate a text, or is both.
void check_request(const RunOptions& options) {
  if (!options.generate.empty()) {
    const bool answers =
        !options.trace.empty() || options.every_step || options.hex || options.json;
    if (!options.input.empty() || answers)
      refuse(
          "--generate: writes a text, and takes no --input, --trace, --every-step, --hex or "
          "--json");
    return;
  }
  if (options.input.empty())
    refuse("--input: is missing; give the file to answer, or --generate N for a model that writes");
  for (const std::string* one :
       {&options.temperature, &options.top_k, &options.seed, &options.prompt})
    if (!one->empty())
      refuse(
          "--temperature, --top-k, --seed and --prompt say how a text is written; give --generate "
          "N too");
}

void check_outputs(const RunOptions& options) {
  check_output("--output", options.output, {options.model, options.input});
  check_output("--trace", options.trace, {options.model, options.input});
  check_no_model("--output", options.output), check_no_model("--trace", options.trace);
  if (!options.trace.empty() && options.trace == options.output)
    refuse("--trace {}: is where the answers go; give another file", options.trace);
}

}  // namespace

void run_run(const RunOptions& options) {
  check_request(options);
  check_outputs(options);
  const OwnedModel model = load_model(options.model);
  if (!options.generate.empty()) {
    const std::string text = generated_text(model, options);
    return options.output.empty() ? print_text(text) : write_files({{options.output, text}});
  }
  const Columns columns = columns_for(model, options);
  const DataSet data =
      read_input(options.input, columns,
                 {features_for(model), model.classes(), false, tokens_of(model.model)});
  check_frames(model.model, data, options.model);
  const std::string text =
      answers_text(model, data, columns.sequence.empty() ? "sequence" : columns.sequence, options);
  warn_saturated(saturated_inputs(model, data, all_sequences(data)), options.input);
  std::vector<NamedBytes> files;
  if (!options.trace.empty()) files.push_back({options.trace, trace_text(model, data)});
  if (!options.output.empty()) files.push_back({options.output, text});
  write_files(files);
  if (options.output.empty()) print_text(text);
}

}  // namespace sluice::tools
