// sluice inspect: shows a model's layers, the memory that it needs, and how it was made.
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../convert/budget.h"
#include "../convert/cost.h"
#include "../evaluate/evaluate.h"
#include "../model/blob_text.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "../recipe/heads.h"
#include "../recipe/made.h"
#include "command.h"
#include "graph_text.h"
#include "runtime/blob.h"
#include "runtime/layer.h"

namespace sluice::tools {
namespace {

const BlobHeader& header_of(const OwnedModel& model) {
  return *reinterpret_cast<const BlobHeader*>(model.blob.data.get());
}

/// Returns the entries of the blob's section table.
std::vector<BlobSection> sections_of(const OwnedModel& model) {
  const auto* first =
      reinterpret_cast<const BlobSection*>(model.blob.data.get() + sizeof(BlobHeader));
  return {first, first + header_of(model).sections};
}

/// Returns the sources of a layer: "frame", "2", or by name "2 (a)".
std::vector<std::string> sources_text(const OwnedModel& model, std::uint32_t layer) {
  const std::vector<std::string> names = section_strings(model.model, SLUICE_SECTION_LAYER_NAMES);
  std::vector<std::string> sources;
  for (std::uint32_t i = 0; i < sluice_describe_layer(&model.model, layer).sources; ++i) {
    const std::uint32_t source = sluice_layer_source(&model.model, layer, i);
    const bool named = source > 0 && source <= names.size() && !names[source - 1].empty();
    sources.push_back(source == 0 ? "frame"
                      : named     ? fmt::format("{} ({})", source, printable(names[source - 1]))
                                  : std::to_string(source));
  }
  return sources;
}

/// Describes the output of a recurrent layer: "every step", "last step" or "mean of steps", and
/// whether it reads in both directions.
std::string steps_text(const sluice_layer_info& layer) {
  if (!is_recurrent(std::uint8_t(layer.kind))) return "";
  const char* const steps = layer.every_step ? "every step"
                            : layer.mean     ? "mean of steps"
                                             : "last step";
  return layer.both_directions ? fmt::format("{}, both directions", steps) : steps;
}

std::vector<sluice_layer_info> layers_of(const OwnedModel& model) {
  std::vector<sluice_layer_info> layers;
  for (std::uint32_t l = 0; l < model.info().layers; ++l)
    layers.push_back(sluice_describe_layer(&model.model, l));
  return layers;
}

std::uint64_t parameters_of(const std::vector<sluice_layer_info>& layers) {
  std::uint64_t sum = 0;
  for (const sluice_layer_info& layer : layers) sum += layer.parameters;
  return sum;
}

using Rows = std::vector<std::vector<std::string>>;

/// Draws the graph to the left of the layers' table, which gets a row for the frame. If there is no
/// room for the drawing, the table stays as it is.
/// @param rows  the heading, a row for each layer, the sum
Rows with_graph(const OwnedModel& model, const Rows& rows) {
  const std::vector<GraphLine> lines = graph_lines(read_network(model.model));
  if (lines.empty()) return rows;
  Rows layers = rows, drawn;
  layers.front() = std::vector<std::string>(rows.front().size());
  layers.front()[1] = "frame", layers.front()[4] = with_commas(model.info().inputs);
  const auto add = [&](const std::string& text, std::vector<std::string> row) {
    row.insert(row.begin(), text);
    drawn.push_back(std::move(row));
  };
  add("", rows.front());
  auto layer = layers.begin();
  for (const GraphLine& line : lines)
    add(line.text, line.between ? std::vector<std::string>(rows.front().size()) : *layer++);
  add("", rows.back());
  return drawn;
}

/// The activation of a Dense; of a cell that of its candidate if it is not tanh, and of its gates
/// if it is not sigmoid.
std::string activation_text(const sluice_layer_info& layer) {
  if (layer.kind == SLUICE_DENSE || layer.kind == SLUICE_CURVE)
    return sluice_activation_name(layer.activation);
  if (!is_recurrent(std::uint8_t(layer.kind))) return "";
  const bool other = layer.candidate != SLUICE_TANH;
  std::string text = other ? sluice_activation_name(layer.candidate) : "";
  if (layer.activation != SLUICE_LINEAR)
    text += fmt::format("{}{} gates", other ? ", " : "", sluice_activation_name(layer.activation));
  return text;
}

/// "lstm of rank 8, initial state", "window of 3 steps": a layer's kind, and its properties that
/// its widths do not tell.
std::string kind_text(const sluice_layer_info& layer) {
  std::string text = sluice_layer_name(layer.kind);
  if (layer.rank) text += fmt::format(" of rank {}", layer.rank);
  if (layer.cells) text += fmt::format(", projected from {} cells", with_commas(layer.cells));
  if (layer.peepholes) text += ", peepholes";
  if (layer.cell_clip != 0) text += fmt::format(", cells clipped to {}", layer.cell_clip);
  if (layer.initial_state) text += ", initial state";
  if (layer.kind == SLUICE_WINDOW)
    text += fmt::format(" of {}{}{}{}{}",
                        layer.parts == 1 ? "1 step" : fmt::format("{} steps", layer.parts),
                        layer.dilation > 1 ? fmt::format(", {} apart", layer.dilation) : "",
                        layer.ahead ? fmt::format(", {} ahead", layer.ahead) : "",
                        layer.stride > 1 ? fmt::format(", stride {}", layer.stride) : "",
                        layer.first ? fmt::format(", from step {} on", layer.first + 1) : "");
  else if (layer.kind == SLUICE_DENSE && layer.parts)
    text += fmt::format(" for each of {} parts", layer.parts);
  else if (layer.parts)
    text += fmt::format(" of {} positions", layer.inputs / layer.outputs);
  return text;
}

std::string layer_table(const OwnedModel& model, const std::vector<sluice_layer_info>& layers,
                        std::uint32_t state) {
  const sluice_info info = model.info();
  Rows rows = {{"", "layer", "inputs", "outputs", "activation", "answers", "parameters",
                "weight bytes", "state bytes", "MACs a step"}};
  std::uint64_t weight_bytes = 0;
  for (const sluice_layer_info& layer : layers) {
    rows.push_back({std::to_string(rows.size()), kind_text(layer), with_commas(layer.inputs),
                    with_commas(layer.outputs), activation_text(layer), steps_text(layer),
                    with_commas(layer.parameters), with_commas(layer.weight_bytes),
                    with_commas(layer.state_bytes), with_commas(layer.macs)});
    weight_bytes += layer.weight_bytes;
  }
  rows.push_back({"", "sum", "", "", "", "", with_commas(parameters_of(layers)),
                  with_commas(weight_bytes), with_commas(state), with_commas(info.macs)});
  if (is_chain(read_network(model.model))) return table(rows);
  rows[0].insert(rows[0].begin() + 2, "reads");
  for (std::uint32_t l = 0; l < info.layers; ++l)
    rows[l + 1].insert(rows[l + 1].begin() + 2,
                       fmt::format("{}", fmt::join(sources_text(model, l), ", ")));
  rows.back().insert(rows.back().begin() + 2, "");
  return table(with_graph(model, rows));
}

/// A part of an answer: its description in the blob, and its loss in the record of the training.
struct Part {
  sluice_answer_info answer;
  std::string name;          ///< may be empty
  std::optional<Head> head;  ///< that has a loss of its own
};

/// The parts of the answer, if there are several.
std::vector<Part> parts_of(const OwnedModel& model) {
  const std::vector<std::string> names = section_strings(model.model, SLUICE_SECTION_LAYER_NAMES);
  const std::vector<Head> heads = heads_of_made(model.made());
  std::vector<Part> parts;
  for (std::uint32_t i = 0; model.info().answers > 1 && i < model.info().answers; ++i) {
    Part part{sluice_describe_answer(&model.model, i), "", {}};
    const std::uint32_t layer = part.answer.layer;
    if (layer > 0 && layer <= names.size()) part.name = names[layer - 1];
    if (heads.size() == model.info().answers) part.head = heads[i];
    parts.push_back(std::move(part));
  }
  return parts;
}

/// The parts of the answer by name, with the numbers that each has, and its loss.
std::string answers_text(const OwnedModel& model) {
  std::string text;
  const std::vector<Part> parts = parts_of(model);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [answer, name, head] = parts[i];
    text += fmt::format(
        "answer {}{}: outputs {} to {}, from {}{}\n", i + 1,
        name.empty() ? "" : " (" + printable(name) + ")", answer.first + 1,
        answer.first + answer.outputs,
        answer.layer ? fmt::format("layer {}", answer.layer) : "the frame",
        head ? fmt::format("; loss {}, weight {:g}", loss_word(*head), head->weight) : "");
  }
  return text.empty() ? text : text + "\n";
}

OrderedJson answers_json(const OwnedModel& model) {
  OrderedJson json = OrderedJson::array();
  for (const Part& part : parts_of(model)) {
    json.push_back({{"name", part.name},
                    {"layer", part.answer.layer},
                    {"first", part.answer.first},
                    {"outputs", part.answer.outputs}});
    if (part.head)
      json.back().update({{"loss", loss_word(*part.head)}, {"weight", part.head->weight}});
  }
  return json;
}

std::string section_table(const OwnedModel& model) {
  const std::vector<BlobSection> sections = sections_of(model);
  std::uint64_t rest = model.info().bytes;
  std::vector<std::vector<std::string>> rows = {{"section", "bytes"}};
  for (const BlobSection& section : sections) {
    rows.push_back({section_name(section.kind), with_commas(section.bytes)});
    rest -= section.bytes;
  }
  rows.push_back({"header, table, gaps", with_commas(rest)});
  rows.push_back({"sum", with_commas(model.info().bytes)});
  return table(rows);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return text;
}

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Adds every value of a JSON object with its dotted key.
void add_lines(const std::string& prefix, const OrderedJson& object, Lines& lines) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) add_lines(prefix + key + ".", value, lines);
    if (!value.is_object()) lines.emplace_back(prefix + key, json_text(value));
  }
}

/// Returns how the model was made, one key per line; a text that is not the JSON of `sluice train`
/// is returned unchanged.
std::string made_text(const std::string& made) {
  const OrderedJson parsed = parse_ordered_json(made);
  if (!parsed.is_object()) return "  " + printable(made) + "\n";
  Lines lines;
  add_lines("", parsed, lines);
  std::size_t widest = 0;
  for (const auto& [key, value] : lines) widest = std::max(widest, key.size());
  std::string text;
  for (const auto& [key, value] : lines)
    text += fmt::format("  {:<{}}  {}\n", printable(key), widest, printable(value));
  return text;
}

/// Describes sparse layers: the share of their matrices that is stored.
std::string sparse_text(const std::vector<sluice_layer_info>& layers) {
  std::string text;
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (layers[l].stored_blocks < layers[l].blocks)
      text +=
          fmt::format("layer {} ({}) is sparse: it stores {} of {} blocks of 8 x 4 weights, {}\n",
                      l + 1, sluice_layer_name(layers[l].kind),
                      with_commas(layers[l].stored_blocks), with_commas(layers[l].blocks),
                      percent(double(layers[l].stored_blocks) / double(layers[l].blocks)));
  return text.empty() ? text : text + "\n";
}

}  // namespace

std::string answers_when(const sluice_info& info) {
  const std::string every =
      (info.stride > 1 ? fmt::format("every {} steps", info.stride) : "every step") +
      (info.first_answer ? fmt::format(", from step {} on", info.first_answer + 1) : "");
  if (info.every_step) return every;
  return !answered_frames(info).is_every() ? fmt::format("once a sequence, computed {}", every)
                                           : "with the last step";
}

namespace {

void print_for_people(const OwnedModel& model, const std::string& name) {
  const sluice_info info = model.info();
  const BlobHeader& header = header_of(model);
  const sluice_need need = sluice_needs(&model.model, {1, 1});
  const std::vector<sluice_layer_info> layers = layers_of(model);
  print("{}: {}, {} inputs, {} outputs, answers {}; blob format {}.{}, hash {:016x}\n\n", name,
        sluice_format_name(info.format), info.inputs, info.outputs, answers_when(info),
        header.major, header.minor, sluice_hash(&model.model));
  print("{}\n{}{}", layer_table(model, layers, need.state), answers_text(model),
        sparse_text(layers));
  print("{}\n", section_table(model));
  print("on a device, one frame a call (sluice_use {{1, 1}}):\n{}\n",
        table({{"memory", "bytes"},
               {"model, in flash or RAM", with_commas(info.bytes)},
               {"state of each stream", with_commas(need.state)},
               {"scratch, one for all streams of a thread", with_commas(need.scratch)}}));
  constexpr std::size_t most_names = 64;
  if (auto inputs = model.inputs(); inputs.size() > most_names)
    print("inputs: {}, and {} more\n", joined({inputs.begin(), inputs.begin() + 8}),
          inputs.size() - 8);
  else if (!inputs.empty())
    print("inputs: {}\n", joined(inputs));
  if (const auto labels = model.labels(); !labels.empty()) print("labels: {}\n", joined(labels));
  if (const std::string made = model.made(); !made.empty())
    print("made with:\n{}", made_text(made));
}

/// Returns the clock in MHz; nothing if none was given.
std::optional<double> parse_mhz(const std::string& text) {
  if (text.empty()) return {};
  double mhz = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mhz);
  if (error != std::errc() || end != text.data() + text.size() || !(mhz > 0) || mhz > 1e6)
    refuse("--mhz {}: is not a clock; give megahertz, such as 64", text);
  return mhz;
}

double microseconds(const DeviceCost& cost, const std::string& core, double mhz) {
  return double(cost.instructions) * cycles_per_instruction(core).factor / mhz;
}

void print_cost(const DeviceCost& cost, const OwnedModel& model, const std::string& core,
                std::optional<double> mhz) {
  const double per_mac =
      double(cost.instructions) / double(std::max<std::uint64_t>(model.info().macs, 1));
  print("on {}, {}:\n{}", core, sluice_format_name(model.info().format),
        table({{"cost", "amount"},
               {"flash, the model without names, labels and history", with_commas(cost.flash)},
               {"flash, code and tables of this number format, at -O2", with_commas(cost.code)},
               {"flash, both", with_commas(cost.flash + cost.code)},
               {"RAM, state and scratch of one stream", with_commas(cost.ram)},
               {"RAM, stack of opening and stepping, at most", with_commas(cost.stack)},
               {"RAM, both", with_commas(cost.ram + cost.stack)},
               {"instructions a step, within 5 %", with_commas(cost.instructions)},
               {"instructions a multiply-accumulate", fmt::format("{:.2f}", per_mac)}}));
  if (!mhz) return;
  const CyclesPerInstruction cycles = cycles_per_instruction(core);
  print(
      "\nAn estimate: {:.0f} microseconds a step at {} MHz, with {} cycles an instruction ({}), "
      "and no wait states of the "
      "flash.\n",
      microseconds(cost, core, *mhz), *mhz, cycles.factor, cycles.source);
}

OrderedJson layer_json(const OwnedModel& model, std::uint32_t index) {
  const sluice_layer_info layer = sluice_describe_layer(&model.model, index);
  const std::vector<std::string> names = section_strings(model.model, SLUICE_SECTION_LAYER_NAMES);
  OrderedJson json = {{"kind", sluice_layer_name(layer.kind)},
                      {"type", sluice_format_name(layer.format)},
                      {"inputs", layer.inputs},
                      {"outputs", layer.outputs}};
  if (index < names.size() && !names[index].empty()) json["name"] = names[index];
  std::vector<std::uint32_t> sources;  // 0: the frame, else a layer counted from 1
  for (std::uint32_t i = 0; i < layer.sources; ++i)
    sources.push_back(sluice_layer_source(&model.model, index, i));
  json["sources"] = sources;
  if (layer.kind == SLUICE_DENSE || layer.kind == SLUICE_CURVE)
    json["activation"] = sluice_activation_name(layer.activation);
  if (layer.parts) json["parts"] = layer.parts;
  if (layer.dilation) {
    json["dilation"] = layer.dilation, json["stride"] = layer.stride;
    json["ahead"] = layer.ahead, json["first"] = layer.first;
  }
  if (is_recurrent(std::uint8_t(layer.kind))) {
    if (layer.candidate != SLUICE_TANH)
      json["activation"] = sluice_activation_name(layer.candidate);
    if (layer.activation != SLUICE_LINEAR) json["gates"] = sluice_activation_name(layer.activation);
    if (layer.rank > 0) json["rank"] = layer.rank;
    if (layer.cells) json["cells"] = layer.cells;
    if (layer.peepholes) json["peepholes"] = true;
    if (layer.cell_clip != 0) json["cell_clip"] = layer.cell_clip;
    if (layer.initial_state) json["initial_state"] = true;
    json["every_step"] = layer.every_step != 0;
    json["mean"] = layer.mean != 0, json["both_directions"] = layer.both_directions != 0;
  }
  json.update({{"parameters", layer.parameters},
               {"weight_bytes", layer.weight_bytes},
               {"state_bytes", layer.state_bytes},
               {"macs", layer.macs}});
  if (layer.blocks) json.update({{"blocks", layer.blocks}, {"stored_blocks", layer.stored_blocks}});
  return json;
}

OrderedJson cost_json(const DeviceCost& cost, const std::string& core, std::optional<double> mhz) {
  OrderedJson json = {{"core", core},
                      {"flash", cost.flash},
                      {"ram", cost.ram},
                      {"stack", cost.stack},
                      {"code", cost.code},
                      {"flash_total", cost.flash + cost.code},
                      {"ram_total", cost.ram + cost.stack},
                      {"instructions_per_step", cost.instructions}};
  if (!mhz) return json;
  const CyclesPerInstruction cycles = cycles_per_instruction(core);
  json["microseconds_per_step_estimate"] = microseconds(cost, core, *mhz);
  json["cycles_per_instruction"] = cycles.factor;
  json["cycles_per_instruction_source"] = cycles.source;
  return json;
}

void print_json(const OwnedModel& model, const std::optional<DeviceCost>& cost,
                const std::string& core, std::optional<double> mhz, const Budget& budget) {
  const sluice_info info = model.info();
  const BlobHeader& header = header_of(model);
  const sluice_need need = sluice_needs(&model.model, {1, 1});
  const std::vector<sluice_layer_info> layers = layers_of(model);
  OrderedJson json = {{"format", fmt::format("{}.{}", header.major, header.minor)},
                      {"hash", fmt::format("{:016x}", sluice_hash(&model.model))},
                      {"type", sluice_format_name(info.format)},
                      {"inputs", info.inputs},
                      {"outputs", info.outputs},
                      {"every_step", info.every_step != 0},
                      {"first_answer", info.first_answer},
                      {"stride", info.stride},
                      {"bytes", info.bytes},
                      {"state_bytes", need.state},
                      {"scratch_bytes", need.scratch},
                      {"macs", info.macs},
                      {"parameters", parameters_of(layers)},
                      {"layers", OrderedJson::array()},
                      {"sections", OrderedJson::array()}};
  for (std::uint32_t l = 0; l < layers.size(); ++l) json["layers"].push_back(layer_json(model, l));
  for (const BlobSection& section : sections_of(model))
    json["sections"].push_back({{"kind", section.kind},
                                {"name", section_name(section.kind)},
                                {"offset", section.offset},
                                {"bytes", section.bytes}});
  if (info.answers > 1) json["answers"] = answers_json(model);
  if (cost) json["device"] = cost_json(*cost, core, mhz);
  if (cost && !budget.limits.empty()) json["device"]["fits"] = over_budget(*cost, budget).empty();
  json["input_names"] = model.inputs();
  json["labels"] = model.labels();
  const std::string made = model.made();
  const OrderedJson parsed = parse_ordered_json(made);
  if (!made.empty()) json["made"] = parsed.is_discarded() ? OrderedJson(made) : parsed;
  print_text(json_text(json, 2) + "\n");
}

}  // namespace

void run_inspect(const InspectOptions& options) {
  if (options.core.empty() && (options.fits || !options.mhz.empty()))
    refuse("sluice inspect: {} needs --core: which device?", options.fits ? "--fits" : "--mhz");
  const std::optional<double> mhz = parse_mhz(options.mhz);
  const Budget budget =
      options.fits ? parse_budget(*options.fits, "--fits \"" + *options.fits + "\"") : Budget{};
  const OwnedModel model = load_model(options.model);
  if (options.core.empty()) {
    if (options.json) print_json(model, {}, "", {}, {});
    if (!options.json) print_for_people(model, options.model);
    return;
  }
  const std::optional<DeviceCost> cost =
      device_cost(read_network(model.model), options.core, "--core " + options.core);
  if (!cost)
    refuse("{}: {} has no float unit with fused multiply-add; quantize the model (sluice quantize)",
           options.model, options.core);
  if (options.json) print_json(model, cost, options.core, mhz, budget);
  if (!options.json) print_cost(*cost, model, options.core, mhz);
  const std::vector<std::string> over = over_budget(*cost, budget);
  if (over.empty() && options.fits && !options.json)
    print("\nfits: {}\n", fmt::format("{}", fmt::join(costs_of(*cost, budget), "; ")));
  if (over.empty()) return;
  flush_output();
  throw Error(1, fmt::format("{}: does not fit {}: {}", options.model, options.core,
                             fmt::join(over, "; ")));
}

}  // namespace sluice::tools
