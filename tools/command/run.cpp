// sluice run: computes a model's answers to the sequences in a file, or to a text.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "../common/error.h"
#include "../common/hex.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../convert/saturation.h"
#include "../data/data.h"
#include "../data/parse_number.h"
#include "../evaluate/evaluate.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/keys.h"
#include "../recipe/made.h"
#include "command.h"
#include "generate.h"
#include "predictions.h"

namespace sluice::tools {
namespace {

/// A sequence's answers: one, or one per step.
struct Answers {
  std::vector<float> y;           ///< [rows][outputs]
  std::vector<std::size_t> step;  ///< [rows]
  std::size_t rows() const { return step.size(); }
  std::size_t outputs() const { return y.size() / step.size(); }
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

/// Returns the names of the columns that hold the targets. An array of several values is a column
/// for each.
std::vector<std::string> targets_of(const Columns& columns, const OwnedModel& model) {
  const bool values = !columns.classes && columns.heads.empty() && !columns.windows.length;
  const std::vector<std::string> labels = model.labels();
  return values && labels.size() == model.info().outputs ? labels : columns.target;
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
  Answers answers;
  answers.y.resize((every_step ? steps : 1) * info.outputs);
  if (!every_step || info.every_step) {
    run_rows(stream, data, row, steps, answers.y.data());
    for (std::size_t i = 0; every_step && i < answered_frames(info).of(steps); ++i)
      answers.step.push_back(answered_frames(info).frame(i));
    if (!every_step) answers.step.push_back(steps - 1);
    answers.y.resize(answers.step.size() * info.outputs);
    add_last(answers.y);
    return answers;
  }
  for (std::size_t t = 0; t < steps; ++t)
    if (run_rows(stream, data, row + t, 1, &answers.y[answers.step.size() * info.outputs]))
      answers.step.push_back(t);
  answers.y.resize(answers.step.size() * info.outputs);
  return answers;
}

/// The texts beside an answer: what it predicts, the true classes or values, and cells of the
/// input.
struct Beside {
  std::vector<std::string> predicted, truth, cells;
};

/// How answers become text.
struct Writer {
  const Predictions& predictions;
  const DataSet& data;
  const Columns& columns;
  bool every_step, hex;
  bool some_steps;  ///< every step is asked for, and only some have an answer
  std::vector<const Prediction*> known = {};  ///< those whose targets are in the input

  std::vector<std::string> predicted(const float* y) const {
    std::vector<std::string> texts;
    for (const Prediction& one : predictions.each) texts.push_back(one.predicted(y));
    return texts;
  }

  /// @param step  the answer's
  Beside beside(std::size_t s, std::size_t step, const float* y) const {
    Beside texts{{}, {}, predictions.cells(data, s, step)};
    if (hex) return texts;
    texts.predicted = predicted(y);
    for (const Prediction* one : known)
      texts.truth.push_back(predictions.truth(*one, data, s, step, every_step));
    return texts;
  }
};

/// Returns a field of a CSV file (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// Returns a name that is not among the columns before it, and adds it to them.
std::string new_column(std::vector<std::string>& names, std::string name,
                       const std::string& other) {
  if (std::find(names.begin(), names.end(), name) != names.end()) name = other;
  names.push_back(name);
  return name;
}

/// Returns "sequence,step,up,down,predicted,true,time". The name of the target, or "input", is
/// added to a name that an output has.
std::string csv_header(const std::string& sequence, const std::vector<std::string>& outputs,
                       const Writer& writer) {
  std::vector<std::string> names = {sequence};
  if (writer.every_step) names.push_back("step");
  names.insert(names.end(), outputs.begin(), outputs.end());
  const auto add = [&](const char* what, const Prediction& one) {
    const std::string target = one.name.empty() ? writer.columns.target[0] : one.name;
    const std::string longer = fmt::format("{}_{}", what, target);
    new_column(names, one.name.empty() ? what : longer, longer);
  };
  if (!writer.hex) {
    for (const Prediction& one : writer.predictions.each) add("predicted", one);
    for (const Prediction* one : writer.known) add("true", *one);
  }
  for (const std::string& name : writer.predictions.with) new_column(names, name, "input_" + name);
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "" : ",") + csv_field(name);
  return line + "\n";
}

void add_csv(std::string& text, std::size_t s, const Answers& answers, const Writer& writer) {
  const std::size_t outputs = answers.outputs();
  for (std::size_t row = 0; row < answers.rows(); ++row) {
    const float* const y = &answers.y[row * outputs];
    text += csv_field(writer.data.names[s]);
    if (writer.every_step) text += fmt::format(",{}", answers.step[row]);
    for (std::size_t i = 0; i < outputs; ++i) text += "," + (writer.hex ? hex_bits : decimal)(y[i]);
    const Beside beside = writer.beside(s, answers.step[row], y);
    for (const auto* const texts : {&beside.predicted, &beside.truth, &beside.cells})
      for (const std::string& one : *texts) text += "," + csv_field(one);
    text += '\n';
  }
}

std::string json_string(const std::string& text) { return json_text(Json(text)); }

/// Returns a JSON number; null for NaN and infinity, which JSON cannot express.
std::string json_number(float y, bool hex) {
  if (hex) return "\"" + hex_bits(y) + "\"";
  return std::isfinite(y) ? decimal(y) : "null";
}

/// Returns a predicted or true class as a string, a value as a number; null if there is none.
std::string json_truth(const Prediction& one, const std::string& text) {
  if (text.empty()) return "null";
  if (!one.labels.empty()) return json_string(text);
  const std::optional<float> number = parse_float(text);
  return number ? json_number(*number, false) : json_string(text);
}

/// Returns the text as a value of one name, or an object of several.
std::string json_members(const std::vector<std::string>& names,
                         const std::vector<std::string>& values) {
  if (names.size() == 1 && names[0].empty()) return values[0];
  std::string text = "{";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += fmt::format("{}{}: {}", i ? ", " : "", json_string(names[i]), values[i]);
  return text + "}";
}

/// Returns ", \"predicted\": ..., \"true\": ..., \"with\": {...}"; lists of these if every step is
/// answered.
std::string json_beside(std::size_t s, const Answers& answers, const Writer& writer) {
  const std::size_t outputs = answers.outputs();
  std::string predicted, truth, with;
  std::vector<std::string> names, known;
  for (const Prediction& one : writer.predictions.each) names.push_back(one.name);
  for (const Prediction* one : writer.known) known.push_back(one->name);
  for (std::size_t row = 0; row < answers.rows(); ++row) {
    Beside beside = writer.beside(s, answers.step[row], &answers.y[row * outputs]);
    for (std::string& cell : beside.cells) cell = json_string(cell);
    const char* const comma = row ? ", " : "";
    with += comma + json_members(writer.predictions.with, beside.cells);
    if (writer.hex) continue;
    for (std::size_t i = 0; i < names.size(); ++i)
      beside.predicted[i] = json_truth(writer.predictions.each[i], beside.predicted[i]);
    for (std::size_t i = 0; i < known.size(); ++i)
      beside.truth[i] = json_truth(*writer.known[i], beside.truth[i]);
    predicted += comma + json_members(names, beside.predicted);
    truth += comma + json_members(known, beside.truth);
  }
  std::string text;
  const auto add = [&](const char* name, const std::string& list) {
    text += fmt::format(", \"{}\": {}", name, writer.every_step ? "[" + list + "]" : list);
  };
  if (!writer.hex) add("predicted", predicted);
  if (!writer.hex && !known.empty()) add("true", truth);
  if (!writer.predictions.with.empty()) add("with", with);
  return text;
}

void add_json(std::string& text, std::size_t s, const Answers& answers, const Writer& writer) {
  const std::size_t outputs = answers.outputs();
  text += fmt::format("  {{\"sequence\": {}, ", json_string(writer.data.names[s]));
  if (writer.some_steps) text += fmt::format("\"steps\": [{}], ", fmt::join(answers.step, ", "));
  text += "\"y\": ";
  if (writer.every_step) text += "[";
  for (std::size_t row = 0; row < answers.rows(); ++row) {
    text += row ? ", [" : "[";
    for (std::size_t i = 0; i < outputs; ++i)
      text += (i ? ", " : "") + json_number(answers.y[row * outputs + i], writer.hex);
    text += "]";
  }
  text += writer.every_step ? "]" : "";
  text += json_beside(s, answers, writer) + "}";
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
    sluice_reset(&stream.stream);
    for (std::size_t t = 0; t < data.steps(s); ++t) {
      tracing.step = std::uint32_t(t);
      run_rows(stream, data, data.first[s] + t, 1, y.data());
    }
  }
  return std::move(tracing.text);
}

std::string answers_text(const OwnedModel& model, const DataSet& data, const Columns& columns,
                         const RunOptions& options) {
  const sluice_info info = model.info();
  if (options.every_step && info.whole_sequences && !info.every_step)
    refuse("--every-step: {} takes whole sequences, and answers each once", options.model);
  const bool every_step = options.every_step || info.every_step;
  const std::vector<std::string> outputs = outputs_of(model);
  const Predictions predictions = predictions_of(model, columns, options.with);
  const bool some_steps = every_step && !answered_frames(info).is_every();
  check_lengths(info, data, all_sequences(data));
  Writer writer{predictions, data, columns, every_step, options.hex, some_steps};
  for (const Prediction& one : predictions.each)
    if (predictions.is_known(one, data)) writer.known.push_back(&one);
  std::string text;
  if (options.json) {
    text = "{\"outputs\": [";
    for (const std::string& name : outputs)
      text += (&name == &outputs.front() ? "" : ", ") + json_string(name);
    text += fmt::format("], \"every_step\": {}, \"sequences\": [\n", every_step);
  } else {
    text = csv_header(columns.sequence.empty() ? "sequence" : columns.sequence, outputs, writer);
  }
  OwnedStream stream(model.model, {steps_at_once(model.model, data, all_sequences(data)), 1});
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const Answers answers = answer(stream, info, data, s, every_step);
    if (options.json && s) text += ",\n";
    (options.json ? add_json : add_csv)(text, s, answers, writer);
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
  const bool numbered =  // by an array of [sequences][steps][features]
      std::adjacent_find(rows.sequence.begin(), rows.sequence.end(), std::not_equal_to<>()) !=
      rows.sequence.end();
  if (rows.group.empty()) {
    columns.sequence.clear();
    if (rows.files.empty() && !numbered) rows.sequence.assign(rows.rows, "0");
  } else if (rows.files.empty()) {
    rows.sequence = std::move(rows.group);
  } else {  // of several files: each has its file's name
    for (std::size_t row = 0; row < rows.rows; ++row) rows.sequence[row] += ":" + rows.group[row];
  }
  rows.group.clear();
  return assemble(std::move(rows), columns, expected);
}

/// Makes a sequence of the text of --text.
DataSet read_text(const RunOptions& options, Columns columns, const Expected& expected) {
  if (expected.tokens.texts.empty())
    refuse("{}: reads numbers, not text; give --input FILE in place of --text", options.model);
  columns.beside.clear();
  check_text(options.text, "--text");
  if (columns.format == Format::text) return read_stream(options.text, "--text", columns, expected);
  Rows rows;
  rows.file = "--text", rows.rows = 1;
  rows.feature_names = {"id"}, rows.sequence = {"1"}, rows.text = {options.text}, rows.line = {1};
  return assemble(std::move(rows), columns, expected);
}

/// Refuses columns of --with that the input lacks.
void check_with(const RunOptions& options, const DataSet& data) {
  for (auto name = options.with.begin(); name != options.with.end(); ++name)
    if (std::find(options.with.begin(), name, *name) != name)
      refuse("--with {}: is named twice", *name);
  const std::size_t first = data.beside.size() - std::min(data.beside.size(), options.with.size());
  for (std::size_t i = 0; i < options.with.size(); ++i)
    if (first + i >= data.beside.size() || data.beside[first + i].empty())
      refuse("--with {}: {} has no such column; give names of its columns", options.with[i],
             options.input);
}

/// Refuses a request that does none of answering a file, answering a text and generating one, or
/// does two of them.
void check_request(const RunOptions& options) {
  if (!options.generate.empty()) {
    const bool answers = !options.trace.empty() || options.every_step || options.hex ||
                         options.json || options.text_given || !options.with.empty();
    if (!options.input.empty() || answers)
      refuse(
          "--generate: writes a text, and takes no --input, --text, --with, --trace, --every-step, "
          "--hex or --json");
    return;
  }
  if (options.text_given && !options.input.empty())
    refuse("--text: is answered in place of a file; leave out --input {}", options.input);
  if (options.text_given && !options.with.empty())
    refuse("--with {}: names columns of a file; leave it out with --text", options.with[0]);
  if (options.text_given && options.text.empty())
    refuse("--text: is empty; give the text to answer");
  if (options.input.empty() && !options.text_given)
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
  Columns columns = columns_for(model, options);
  columns.beside = targets_of(columns, model);
  columns.beside.insert(columns.beside.end(), options.with.begin(), options.with.end());
  Expected expected{.features = features_for(model),
                    .labels = model.classes(),
                    .targets = false,
                    .tokens = tokens_of(model.model),
                    .other_columns = !model.inputs().empty()};
  if (model.info().format == SLUICE_F32 && !model.info().vocabulary)
    expected.scales = frame_scales(read_network(model.model));
  const DataSet data = options.text_given ? read_text(options, columns, expected)
                                          : read_input(options.input, columns, expected);
  check_frames(model.model, data, options.model);
  check_with(options, data);
  const std::string text = answers_text(model, data, columns, options);
  warn_saturated(saturated_inputs(model, data, all_sequences(data)),
                 options.text_given ? "--text" : options.input);
  std::vector<NamedBytes> files;
  if (!options.trace.empty()) files.push_back({options.trace, trace_text(model, data)});
  if (!options.output.empty()) files.push_back({options.output, text});
  write_files(files);
  if (options.output.empty()) print_text(text);
}

}  // namespace sluice::tools
