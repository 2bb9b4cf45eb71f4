#include "cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>

#include "../common/error.h"
#include "../model/cores.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "cost_csv.h"
#include "kernels/kernels.h"

namespace sluice::tools {
namespace {

const std::vector<CostLine>& costs() {
  static const std::vector<CostLine> lines = parse_costs(cost_csv);
  return lines;
}

/// Returns how often the inner loop of one panel's product runs for `columns` columns.
double inner_loops(int columns, sluice_format format, std::string_view core) {
  const bool helium = core == "cortex-m55";
  if (format == SLUICE_F32) return columns;
  const int at_once = !helium ? block_cols : format == SLUICE_INT8 ? 16 : 8;
  return std::ceil(double(columns) / at_once);
}

/// Returns the network without names, labels and the like, as a board gets it.
Network stripped(const Network& network) {
  Network result = network;
  result.inputs.clear(), result.labels.clear(), result.made.clear();
  return result;
}

/// Returns whether an LSTM has peepholes or a projection, or clips its cell state.
bool has_options(const Layer& layer) {
  return layer.peepholes || layer.cells > 0 || layer.cell_clip != 0;
}

}  // namespace

CostFeatures cost_features_of(const Network& network, std::string_view core) {
  CostFeatures f{};
  f[0] = 1;  // "step"
  const auto add = [&](std::string_view name, double n) {
    f[std::size_t(std::find(cost_features.begin(), cost_features.end(), name) -
                  cost_features.begin())] += n;
  };
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const Layer& layer = network.layers[index];
    const bool real = layer.format == SLUICE_F32;
    const double units = padded(layer.cells > 0 ? layer.cells : layer.out),
                 panels = units / panel_rows;
    for (const Array& a : layer.arrays) {
      if (!layer.sparse || !a.is_matrix()) continue;
      const BlockShare share = zero_blocks(a);
      add("sparse_blocks", double(share.blocks - share.zero));
      add(layer.kind == SLUICE_DENSE ? "sparse_dense_panels" : "sparse_panels", a.gates * panels);
    }
    if (recurrent(layer)) {
      const std::string cell = sluice_layer_name(layer.kind);
      // states: number of states that enter products
      const int gates = layer.anatomy().gates, states = layer.find(Role::candidate_weight) ? 2 : 1;
      const int in = layer.array(Role::input_weight).cols,
                state = layer.array(Role::state_weight).cols;
      add(cell, 1), add("side", in + states * state),
          add(layer.kind == SLUICE_GRU ? "units" : cell + "_units", units);
      const bool squashes = layer.candidate == SLUICE_TANH,
                 hard = layer.activation == SLUICE_HARD_SIGMOID;
      // In float, a GRU of whole matrices and the candidate tanh has its own kernel; other cells
      // are made of products.
      const bool whole_step = !real || (layer.kind == SLUICE_GRU && layer.rank == 0 && squashes);
      if (!squashes || hard) add("curved", 1);
      if (!squashes) add("curved_units", units * layer.anatomy().states);
      if (hard) add("hard_gates", units * std::max(gates - 1, 1));
      if (!layer.sparse)
        add(whole_step ? "inner" : "dense_inner",
            gates * panels *
                (inner_loops(in, layer.format, core) + inner_loops(state, layer.format, core)));
      if (has_options(layer)) add("options", 1), add("option_units", units);
      add("option_arrays", layer.peepholes + (layer.cells > 0));
      if (layer.rank > 0) add("low_rank", 1), add("low_rank_units", units);
      for (const Role role : {Role::input_factor, Role::state_factor, Role::projection}) {
        const Array* const factor = layer.find(role);
        if (!factor) continue;
        const double products = role == Role::state_factor ? states : 1,
                     rows = padded(factor->rows);
        add("factor", products), add("factor_units", products * rows);
        add("side", products * factor->cols);
        add("dense_inner",
            products * rows / panel_rows * inner_loops(factor->cols, layer.format, core));
      }
    } else if (layer.kind == SLUICE_EMBEDDING) {
      add("embedding", 1), add("embedding_units", units);
    } else if (layer.kind == SLUICE_DENSE) {
      const bool logits =
          is_answer(network, index) && layer.format != SLUICE_F32 &&
          (layer.activation == SLUICE_SIGMOID || layer.activation == SLUICE_SOFTMAX);
      add("dense", 1), add("side", layer.in), add("dense_units", units);
      if (!layer.sparse) add("dense_inner", panels * inner_loops(layer.in, layer.format, core));
      if (layer.activation != SLUICE_LINEAR && !logits)
        add(sluice_activation_name(layer.activation),
            layer.format == SLUICE_F32 ? layer.out : units);
    } else if (layer.kind == SLUICE_DIFFERENCE) {
      add("difference", 1), add("difference_units", layer.out);
    } else if (layer.kind == SLUICE_STANDARDIZE) {
      add("standardize", layer.in);
    } else {
      const bool sums = layer.kind == SLUICE_ADD || layer.kind == SLUICE_MULTIPLY;
      const double parts = double(std::max<std::size_t>(layer.sources.size(), 1));
      add("join", 1), add("parts", parts);
      const std::vector<std::uint32_t> sources = sources_of(network, index);
      const double of_frame = double(std::count(sources.begin(), sources.end(), 0u)) *
                              (layer.kind == SLUICE_SELECT ? 0 : frame_width(network));
      add(sums ? "sum_frame" : "concat_frame", of_frame);
      if (sums) add("sum", 1), add("sum_units", units);
      add(sluice_layer_name(layer.kind), sums ? parts * units : layer.out - of_frame);
    }
  }
  return f;
}

bool is_plain(const Layer& layer) {
  return !recurrent(layer) || (layer.rank == 0 && layer.candidate == SLUICE_TANH &&
                               layer.activation == SLUICE_LINEAR && !has_options(layer));
}

std::vector<CostLine> parse_costs(std::string_view csv) {
  std::vector<CostLine> lines;
  std::istringstream text{std::string(csv)};
  text.exceptions(std::ios::badbit);  // without this, a lack of memory would only shorten the text
  std::string row;
  std::getline(text, row);  // skips the heading
  while (std::getline(text, row)) {
    std::istringstream cells(row);
    cells.exceptions(std::ios::badbit);
    CostLine line;
    std::string cell;
    std::getline(cells, line.core, ','), std::getline(cells, line.type, ',');
    std::getline(cells, cell, ','), line.code = std::stoull(cell);
    std::getline(cells, cell, ','), line.stack = std::stoull(cell);
    std::getline(cells, cell, ','), line.low_rank_stack = std::stoull(cell);
    for (double& c : line.coefficients) std::getline(cells, cell, ','), c = std::stod(cell);
    lines.push_back(line);
  }
  return lines;
}

std::string costs_text(const std::vector<CostLine>& lines) {
  std::string text = "core,type,code,stack,low_rank_stack";
  for (const char* feature : cost_features) text += fmt::format(",{}", feature);
  text += "\n";
  for (const CostLine& line : lines) {
    text += fmt::format("{},{},{},{},{}", line.core, line.type, line.code, line.stack,
                        line.low_rank_stack);
    for (const double c : line.coefficients) text += fmt::format(",{:.4f}", c);
    text += "\n";
  }
  return text;
}

namespace {

/// Returns the line of a known core; null if the core does not run the number format.
const CostLine* line_of(const std::string& core, sluice_format format, const std::string& origin) {
  const std::string counted = counted_core(core), type = sluice_format_name(format);
  bool known = false;
  for (const CostLine& line : costs()) {
    known = known || line.core == counted;
    if (line.core == counted && line.type == type) return &line;
  }
  if (!known) refuse("{}: is not a core with counted costs; {}", origin, cores_to_give(core));
  return nullptr;
}

/// Returns whether the coefficients cover such a layer.
bool is_counted(const Layer& layer) {
  if (recurrent(layer)) {
    const bool gates = layer.activation == SLUICE_LINEAR || layer.activation == SLUICE_HARD_SIGMOID;
    const bool candidate = has_options(layer) ? layer.candidate == SLUICE_TANH
                                              : fixed_candidates >> layer.candidate & 1;
    return gates && candidate && !layer.both && !layer.mean;
  }
  if (layer.kind == SLUICE_EMBEDDING) return layer.format != SLUICE_F32;
  if (layer.parts > 0) return false;
  return layer.kind == SLUICE_STANDARDIZE || layer.kind == SLUICE_SELECT ||
         layer.kind == SLUICE_DIFFERENCE || layer.anatomy().joins || layer.kind == SLUICE_DENSE;
}

}  // namespace

std::vector<std::string> counted_cores() {
  std::vector<std::string> cores;
  for (const CostLine& line : costs())
    if (std::find(cores.begin(), cores.end(), line.core) == cores.end()) cores.push_back(line.core);
  return cores;
}

bool runs_on(const std::string& core, sluice_format format, const std::string& origin) {
  return line_of(core, format, origin) != nullptr;
}

std::optional<DeviceCost> device_cost(const Network& network, const std::string& core,
                                      const std::string& origin) {
  const CostLine* const line = line_of(core, network.layers.front().format, origin);
  if (!line) return {};
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    if (!is_counted(network.layers[l]))
      refuse(
          "{}: the instructions of layer {} ({}{}) have not been counted on any core, so its cost "
          "there is unknown",
          origin, l + 1, sluice_layer_name(std::uint32_t(network.layers[l].kind)),
          network.layers[l].both ? ", both directions" : "");
  const OwnedModel model = open_model(write_blob(stripped(network)), "the model");
  const sluice_need need = sluice_needs(&model.model, {1, 1});
  const CostFeatures features = cost_features_of(network, line->core);
  double instructions = 0;
  for (std::size_t i = 0; i < features.size(); ++i)
    instructions += line->coefficients[i] * features[i];
  const bool plain = std::all_of(network.layers.begin(), network.layers.end(), is_plain);
  return DeviceCost{model.info().bytes, std::uint64_t(need.state) + need.scratch,
                    plain ? line->stack : line->low_rank_stack, line->code,
                    static_cast<std::uint64_t>(std::floor(std::max(instructions, 0.0) + 0.5))};
}

CyclesPerInstruction cycles_per_instruction(std::string_view core) {
  if (core == "cortex-m0")
    return {
        1.4,
        "Cortex-M0 TRM r0p0, 3.3: load 2 cycles, all else of the loop 1; single-cycle multiplier"};
  if (core == "cortex-m3")
    return {1.7, "Cortex-M3 TRM r2p1, 3.3.1: load 2 cycles, 1 behind another load; MLA 2"};
  if (core == "cortex-m4")
    return {1.3, "Cortex-M4 TRM r0p1, 3.3.1: LDR 2 cycles, LDRD 3, SMLAD and UXTB16 1"};
  return {1.0, "a guess: the core's manual gives no timings"};
}

}  // namespace sluice::tools
