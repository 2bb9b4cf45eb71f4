// Some sequences, step by step: input, hidden state, gates, and the influence of the input on the
// answer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "../common/error.h"
#include "../common/print.h"
#include "../data/parse_number.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "charts.h"
#include "inside.h"
#include "markup.h"
#include "report.h"
#include "style.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_columns = 160, most_rows = 48;  // of a heat map
constexpr std::size_t most_steps_every = 512;  // of a sequence that is answered at every step
constexpr std::size_t most_steps = 4096;

/// A sequence of the part shown, and the place of its answers in the evaluation.
struct Chosen {
  std::size_t index = 0;     ///< in the part
  std::size_t sequence = 0;  ///< in the data
  std::size_t begin = 0, end = 0;
  std::string why;
};

/// The answer that sequences are looked into for: all of it, or a head.
struct Aspect {
  Measured measured;              ///< by its own targets
  std::size_t first = 0;          ///< of its numbers among those of the whole answer
  std::vector<Chosen> sequences;  ///< [of the part]
  std::string prefix = {};        ///< of a head "vad: "
};

std::vector<Chosen> answered(const Measured& measured) {
  const DataSet& data = *measured.part.data;
  std::vector<Chosen> list;
  std::size_t answers = 0;
  for (std::size_t k = 0; k < measured.part.sequences.size(); ++k) {
    Chosen one{k, measured.part.sequences[k], answers, 0, ""};
    each_answered(measured.evaluation, data, one.sequence, [&](std::size_t i) {
      if (data.classes) answers += data.target[i] >= 0;
      for (std::size_t k = 0; !data.classes && k < data.outputs(); ++k)
        answers += !std::isnan(data.value_at(i, k));
    });
    one.end = answers;
    list.push_back(one);
  }
  return list;
}

template <class F>
double mean_over(const Chosen& one, F f) {
  double sum = 0;
  for (std::size_t i = one.begin; i < one.end; ++i) sum += f(i);
  return sum / double(one.end - one.begin);
}

/// Returns the probability of the given answer; the mean over a sequence.
double certainty(const Evaluation& e, const Chosen& one) {
  const std::size_t classes = e.labels.size();
  return mean_over(one, [&](std::size_t i) {
    return double(*std::max_element(&e.scores[i * classes], &e.scores[i * classes] + classes));
  });
}

/// The first sequence with an answer, the one with the highest loss, the least sure one; one may be
/// several of them. Of heads the first, and for each the one with the highest loss.
std::vector<Chosen> default_sequences(const std::vector<Aspect>& aspects) {
  std::vector<Chosen> chosen;
  const auto choose = [&](const Chosen& one, const std::string& why) {
    for (Chosen& known : chosen)
      if (known.sequence == one.sequence) return void(known.why += fmt::format(", {}", why));
    chosen.push_back(one), chosen.back().why = why;
  };
  for (const Aspect& aspect : aspects) {
    const Evaluation& e = aspect.measured.evaluation;
    std::vector<Chosen> list = aspect.sequences;
    std::erase_if(list, [](const Chosen& one) { return one.begin == one.end; });
    if (list.empty()) continue;
    const auto lowest = [&](auto value) {
      std::vector<double> values;
      values.reserve(list.size());
      for (const Chosen& one : list) values.push_back(value(one));
      return list[std::size_t(std::min_element(values.begin(), values.end()) - values.begin())];
    };
    if (chosen.empty()) choose(list.front(), "the first");
    choose(lowest([&](const Chosen& one) {
             return -mean_over(one, [&](std::size_t i) { return e.answers[i].cost; });
           }),
           e.name.empty() ? "the highest loss" : "the highest loss of " + e.name);
    if (aspects.size() == 1 && !e.scores.empty())
      choose(lowest([&](const Chosen& one) { return certainty(e, one); }), "the least sure");
  }
  return chosen;
}

std::vector<Chosen> wanted_ones(const Measured& measured, const std::vector<Chosen>& list,
                                const std::vector<std::string>& wanted) {
  const DataSet& data = *measured.part.data;
  std::vector<Chosen> chosen;
  for (const std::string& name : wanted) {
    auto found = std::find_if(list.begin(), list.end(),
                              [&](const Chosen& one) { return data.names[one.sequence] == name; });
    const std::optional<long long> number = parse_integer(name);
    if (found == list.end() && number && *number >= 1 && std::size_t(*number) <= list.size())
      found = list.begin() + std::ptrdiff_t(*number - 1);
    if (found == list.end())
      refuse(
          "--sequence {}: is not a sequence of the {} part; give a name, or a number from 1 to {}",
          name, measured.part.name, list.size());
    chosen.push_back(*found);
  }
  return chosen;
}

// --- heat maps of the values of every step

/// Returns the number of steps that share a column.
std::size_t steps_each(std::size_t steps) { return (steps + most_columns - 1) / most_columns; }

/// Returns the rows that change most, as many as fit, in their order.
std::vector<std::size_t> rows_shown(const Steps& s) {
  std::vector<std::size_t> rows(s.width);
  std::iota(rows.begin(), rows.end(), std::size_t(0));
  if (s.width <= most_rows) return rows;
  std::vector<double> spread(s.width);
  const std::size_t steps = s.values.size() / s.width;
  const double n = double(steps);
  for (std::size_t i = 0; i < s.width; ++i) {
    double sum = 0, squares = 0;
    for (std::size_t at = i; at < s.values.size(); at += s.width)
      sum += double(s.values[at]), squares += double(s.values[at]) * double(s.values[at]);
    spread[i] = squares / n - sum / n * (sum / n);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return spread[a] > spread[b]; });
  rows.resize(most_rows);
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Returns for each column the mean or the largest value of its steps.
HeatMap map_of(const Steps& s, const std::vector<std::size_t>& rows, bool largest) {
  const std::size_t steps = s.values.size() / s.width, each = steps_each(steps);
  HeatMap map{.x = {.label = "step", .whole = true},
              .rows = rows.size(),
              .columns = (steps + each - 1) / each};
  map.each = double(each);
  for (const std::size_t row : rows)
    for (std::size_t begin = 0; begin < steps; begin += each) {
      const std::size_t end = std::min(begin + each, steps);
      double sum = 0, most = 0;
      for (std::size_t t = begin; t < end; ++t) {
        const double v = double(s.values[t * s.width + row]);
        sum += v, most = std::max(most, v);
      }
      map.values.push_back(largest ? most : sum / double(end - begin));
    }
  if (each > 1)
    map.note =
        fmt::format("Each column is the {} of {} steps.", largest ? "largest" : "mean", each);
  return map;
}

void name_rows(HeatMap& map, const std::vector<std::size_t>& rows, std::size_t all,
               const std::vector<std::string>& names, const char* what) {
  if (!names.empty())
    for (const std::size_t row : rows) map.row_names.push_back(names[row]);
  if (rows.size() == all) return;
  if (names.empty())
    for (const std::size_t row : rows) map.row_names.push_back(std::to_string(row + 1));
  map.note += fmt::format("{}The {} of {} {} that change most.", map.note.empty() ? "" : " ",
                          rows.size(), all, what);
}

double largest_size(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values)
    if (std::isfinite(v)) most = std::max(most, std::fabs(v));
  return most;
}

// --- a sequence

/// The values to draw for a sequence, and the answer that the saliency explains.
struct View {
  const Aspect& aspect;
  const Measured& measured;
  const Network& network;
  const Chosen& chosen;  ///< of the aspect
  Excerpt excerpt;
  AnswerAt point{};
  std::string answer;  ///< the name of the explained answer

  const DataSet& data() const { return excerpt.data; }
};

bool has_front(const Network& network, sluice_layer_kind kind) {
  const auto end = network.layers.begin() + std::ptrdiff_t(front_layers(network));
  return std::any_of(network.layers.begin(), end,
                     [&](const Layer& layer) { return layer.kind == kind; });
}
bool standardizes(const Network& network) { return has_front(network, SLUICE_STANDARDIZE); }
bool differs(const Network& network) { return has_front(network, SLUICE_DIFFERENCE); }

/// Returns the name of a token; a space and a line end become visible.
std::string token_name(const std::string& token) {
  if (token == " ") return "a space";
  if (token == "\n") return "a line\u2019s end";
  return fmt::format("\u201c{}\u201d", token);
}

/// An answer that has a target.
struct Known {
  AnswerAt point;
  std::size_t answer;  ///< index in the evaluation
};

std::vector<Known> known_answers(const View& view) {
  const DataSet& data = *view.measured.part.data;
  std::vector<Known> known;
  std::size_t answer = view.chosen.begin;
  each_answered(view.measured.evaluation, data, view.chosen.sequence, [&](std::size_t target) {
    const std::size_t t = target - data.target_begin(view.chosen.sequence);
    if (data.per_row && t >= view.excerpt.steps) return;
    const AnswerAt point{data.per_row ? t : view.excerpt.steps - 1, 0};
    if (data.classes && data.target[target] >= 0) known.push_back({point, answer++});
    for (std::size_t k = 0; !data.classes && k < data.outputs(); ++k)
      if (!std::isnan(data.value_at(target, k))) known.push_back({{point.step, k}, answer++});
  });
  return known;
}

/// Returns how many numbers of an answer are the aspect's.
std::size_t numbers_of(const View& view) {
  const std::vector<Head>& heads = view.data().heads;
  for (const Head& head : heads)
    if (head.name == view.measured.evaluation.name) return head.outputs;
  return std::size_t(view.network.layers.back().out);
}

/// Finds the answer to explain, at the last step that has one: for classes the class that the model
/// gives, for values the one with the largest error.
void find_point(View& view) {
  const Evaluation& e = view.measured.evaluation;
  const std::vector<Known> known = known_answers(view);
  if (known.empty()) return;
  Known best = known.back();
  for (const Known& one : known)
    if (one.point.step == best.point.step &&
        std::fabs(e.answers[one.answer].error) > std::fabs(e.answers[best.answer].error))
      best = one;
  view.point = best.point;
  if (e.classes) view.point.output = std::size_t(e.answers[best.answer].guess);
  view.answer = view.data().is_text() && view.data().per_row
                    ? token_name(e.labels[view.point.output])
                    : e.labels[view.point.output];
  if (!e.name.empty())
    view.answer =
        e.labels.size() == 1 ? e.name : fmt::format("{}.{}", e.name, e.labels[view.point.output]);
  if (e.classes && numbers_of(view) == 1) view.point.output = 0;  // one sigmoid between two classes
  view.point.output += view.aspect.first;
}

std::string facts(const View& view) {
  const Evaluation& e = view.measured.evaluation;
  const Chosen& c = view.chosen;
  const std::string steps = counted(view.data().steps(c.sequence), "step");
  if (c.begin == c.end) return steps + "; no target.";
  const std::size_t answers = c.end - c.begin;
  const double loss = mean_over(c, [&](std::size_t i) { return e.answers[i].cost; });
  if (!e.classes)
    return fmt::format(
        "{}; {} numbers answered, mean absolute error {}.", steps, with_commas(answers),
        figure_text(mean_over(c, [&](std::size_t i) { return std::fabs(e.answers[i].error); })));
  const auto begin = e.answers.begin() + std::ptrdiff_t(c.begin);
  const auto right = std::count_if(begin, begin + std::ptrdiff_t(answers),
                                   [](const Answer& one) { return one.truth == one.guess; });
  if (answers > 1)
    return fmt::format("{}; {} of {} answers right, loss {}.", steps,
                       with_commas(std::uint64_t(right)), with_commas(answers), figure_text(loss));
  const Answer& one = e.answers[c.begin];
  std::string text =
      fmt::format("{}; true class {}, answered {}", steps, e.labels[std::size_t(one.truth)],
                  e.labels[std::size_t(one.guess)]);
  if (!e.scores.empty()) text += fmt::format(" with probability {:.3f}", certainty(e, c));
  if (one.truth != one.guess)
    text += fmt::format("; the true one\u2019s is {}", figure_text(double(one.p)));
  return fmt::format("{}; loss {}.", text, figure_text(loss));
}

std::string input_chart(const View& view) {
  const Steps entering = run_layers(view.network, front_layers(view.network), view.excerpt);
  const std::vector<std::size_t> rows = rows_shown(entering);
  HeatMap map = map_of(entering, rows, false);
  const double most = largest_size(map.values);
  map.low = -most, map.high = most;
  map.title = differs(view.network) ? "Change of the input from step to step" : "Input";
  if (standardizes(view.network)) map.title += ", in deviations of the training data";
  map.y = {.label = "feature"};
  name_rows(map, rows, entering.width, view.data().feature_names, "features");
  return heat_map(map);
}

std::string explained_text(const View& view) {
  const std::string name = shortened(view.answer, 24);
  const std::string number = view.measured.evaluation.classes ? "the logit of " + name : name;
  return view.data().per_row ? fmt::format("{} at step {}", number, view.point.step + 1) : number;
}

std::string saliency_chart(const View& view, Steps gradient) {
  for (float& g : gradient.values) g = std::fabs(g);
  std::size_t top = 0;
  for (std::size_t i = 0; i < gradient.values.size(); ++i)
    if (gradient.values[i] > gradient.values[top]) top = i;
  const std::vector<std::size_t> rows = rows_shown(gradient);
  HeatMap map = map_of(gradient, rows, true);
  map.high = largest_size(map.values);
  map.title = fmt::format("Saliency: {} reacts most to {} at step {}", explained_text(view),
                          shortened(view.data().feature_names[top % gradient.width], 24),
                          top / gradient.width + 1);
  map.y = {.label = "feature"};
  map.note += map.note.empty() ? "" : " ";
  map.note += fmt::format("Size of the exact gradient of {} by each {}{}.", explained_text(view),
                          differs(view.network) ? "change of an input" : "input",
                          standardizes(view.network) ? ", per deviation of the training data" : "");
  name_rows(map, rows, gradient.width, view.data().feature_names, "features");
  return heat_map(map);
}

/// Returns the tokens with the color of their saliency behind them. Neighbors of one color are
/// joined.
std::string saliency_text(const View& view, const Steps& gradient) {
  const DataSet& data = view.data();
  std::vector<double> size(view.excerpt.steps);
  for (std::size_t i = 0; i < gradient.values.size(); ++i)
    size[i / gradient.width] += double(gradient.values[i]) * double(gradient.values[i]);
  for (double& s : size) s = std::sqrt(s);
  const double most = largest_size(size);
  const std::vector<std::string> names = names_of(data.tokens);
  std::string words, run, css;
  const auto flush = [&] {
    if (!run.empty()) words += fmt::format("<span class=\"{}\">{}</span>", css, escaped(run));
    run.clear();
  };
  for (std::size_t t = 0; t < view.excerpt.steps; ++t) {
    const double share = most > 0 ? size[t] / most : 0;
    const std::string own = amount_class(share) + (is_strong(share) ? " on" : "");
    if (own != css) flush(), css = own;
    run += names[std::size_t(data.ids[data.first[view.chosen.sequence] + t])] +
           (data.tokens.rules.words ? " " : "");
  }
  flush();
  return fmt::format(
      "<figure>\n<figcaption>{}</figcaption>\n<p class=\"words\">{}</p>\n<p "
      "class=\"note\">{}</p>\n</figure>\n",
      escaped(fmt::format(
          "Saliency: the tokens that {} depends on, the strongest darkest on light paper",
          explained_text(view))),
      words,
      escaped(
          fmt::format("Norm of the exact gradient of {} by the vector of each token; at most {}.",
                      explained_text(view), figure_text(most))));
}

std::string saliency(const View& view) {
  try {
    const Steps gradient = input_gradient(view.network, view.excerpt, view.point);
    return view.data().is_text() ? saliency_text(view, gradient) : saliency_chart(view, gradient);
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    return missing(fmt::format("There is no saliency: {}.", error.what()));
  }
}

std::string state_chart(const Steps& state, const std::string& layer) {
  const std::vector<std::size_t> rows = rows_shown(state);
  HeatMap map = map_of(state, rows, false);
  map.title = fmt::format("Hidden state of {}", layer);
  map.y = {.label = "unit"};
  map.high = std::max(1.0, largest_size(map.values));  // only tanh as a gate exceeds 1
  map.low = -map.high;
  name_rows(map, rows, state.width, {}, "units");
  return heat_map(map);
}

std::string gate_chart(const Gate& gate, const Steps& state, const std::string& layer) {
  // the same units as in the chart beside it
  const std::vector<std::size_t> rows = rows_shown(state);
  HeatMap map = map_of(gate.open, rows, false);
  double sum = 0;
  for (const float v : gate.open.values) sum += double(v);
  map.title = fmt::format("{} of {}: open to {:.2f} on average", gate.name, layer,
                          sum / double(gate.open.values.size()));
  map.title[0] = char(map.title[0] - 'a' + 'A');
  map.y = {.label = "unit"};
  const double lowest = *std::min_element(map.values.begin(), map.values.end());
  if (lowest < 0) map.low = -1;  // only with tanh as a gate
  map.note += gate.name.ends_with(" z") ? fmt::format("{}1 keeps the state, 0 takes the candidate.",
                                                      map.note.empty() ? "" : " ")
                                        : "";
  name_rows(map, rows, state.width, {}, "units");
  return heat_map(map);
}

std::string layer_charts(const View& view) {
  std::string drawn;
  const std::vector<RecurrentLayer> layers = inside(view.network, view.excerpt);
  for (const RecurrentLayer& one : layers) {
    const Layer& layer = view.network.layers[one.layer];
    const std::string which =
        layers.size() > 1
            ? fmt::format("recurrent layer {} of {}", &one - layers.data() + 1, layers.size())
            : std::string("the recurrent layer");
    const std::string name = fmt::format("{} ({} {}{})", which, sluice_layer_name(layer.kind),
                                         layer.out, layer.both ? ", both directions" : "");
    drawn += state_chart(one.state, name);
    for (const Gate& gate : one.gates) drawn += gate_chart(gate, one.state, which);
  }
  return drawn;
}

std::string draw_sequence(const DataSet& data, const std::vector<Aspect>& aspects,
                          const Network& network, const Chosen& chosen) {
  const std::size_t steps = data.steps(chosen.sequence),
                    most = data.per_row ? most_steps_every : most_steps;
  std::vector<View> views;
  for (const Aspect& aspect : aspects) {
    views.push_back({.aspect = aspect,
                     .measured = aspect.measured,
                     .network = network,
                     .chosen = aspect.sequences[chosen.index],
                     .excerpt = {data, chosen.sequence, std::min(steps, most)},
                     .point = {},
                     .answer = {}});
    find_point(views.back());
  }
  std::string html =
      fmt::format("<h3>Sequence {}{}</h3>\n", escaped(shortened(data.names[chosen.sequence], 60)),
                  chosen.why.empty() ? "" : ": " + escaped(chosen.why));
  for (const View& view : views) html += paragraph(view.aspect.prefix + facts(view));
  if (steps > most)
    html += missing(fmt::format(
        "The charts show the first {} of its {} steps and explain the answer after them.",
        with_commas(most), with_commas(steps)));
  std::string words, drawn = data.is_text() ? "" : input_chart(views.front());
  for (const View& view : views)
    if (!view.answer.empty()) (data.is_text() ? words : drawn) += saliency(view);
  return html + words + charts(drawn + layer_charts(views.front()));
}

/// The answer, or its heads, whose targets `targets` holds from then on.
std::vector<Aspect> aspects_of(const Measured& measured, std::vector<DataSet>& targets) {
  const Evaluation& e = measured.evaluation;
  const DataSet& data = *measured.part.data;
  if (e.heads.empty()) return {{measured, 0, answered(measured)}};
  for (std::size_t i = 0; i < e.heads.size(); ++i) targets.push_back(head_targets(data, i));
  std::vector<Aspect> aspects;
  std::size_t first = 0;
  for (std::size_t i = 0; i < e.heads.size(); ++i) {
    Aspect aspect{{{measured.part.name, &targets[i], measured.part.sequences}, e.heads[i]},
                  first,
                  {},
                  e.heads[i].name + ": "};
    aspect.sequences = answered(aspect.measured);
    aspects.push_back(std::move(aspect));
    first += data.heads[i].outputs;
  }
  return aspects;
}

}  // namespace

std::string sequences_inside(const ReportedRun& run, const Measured& measured,
                             const std::vector<std::string>& wanted) {
  std::vector<DataSet> targets;
  const std::vector<Aspect> aspects = aspects_of(measured, targets);
  const std::vector<Chosen> chosen = wanted.empty()
                                         ? default_sequences(aspects)
                                         : wanted_ones(measured, aspects.front().sequences, wanted);
  if (!run.real())
    return section("Inside", missing("The float weights of this model are not in the run\u2019s "
                                     "folder; these charts need them."));
  const Network network = without_frame_columns(read_network(run.real()->model));
  std::string inside =
      paragraph(fmt::format("From the {} part; --sequence shows others.", measured.part.name));
  if (run.of_floats)
    inside += paragraph(
        "The charts show the float weights that the model in fixed point was made of; the "
        "answers are those of fixed point.");
  for (const Chosen& one : chosen)
    inside += draw_sequence(*measured.part.data, aspects, network, one);
  return section("Inside: sequences step by step", inside);
}

}  // namespace sluice::tools
