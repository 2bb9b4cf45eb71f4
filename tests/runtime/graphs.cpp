// Tests networks that are graphs against PyTorch 2.13 (tests/golden/generate.py): answers,
// gradients, and weights after twenty steps of Adam.
#include <doctest/doctest.h>

#include "../support/golden.h"
#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// A graph with weights, frames and targets. generate.py makes the same ones.
struct Case {
  std::string name;
  Network network;
  std::vector<LossOf::Answer> answers;
  std::vector<sluice_answer_options> own;
  std::vector<Example> batch;

  /// Graphs with one answer use the plain loss, unless `all_by_answer`.
  sluice_train_options options(bool all_by_answer = false) const {
    sluice_train_options o = sluice_train_defaults();
    o.max_sequences = 11, o.max_steps = 13;
    o.loss = answers[0].kind;
    if (answers.size() > 1 || all_by_answer) o.answers = own.data();
    return o;
  }
};

/// The largest weight of each array, as in generate.py: powers of two, so that neither side rounds.
float size_of(int columns) {
  float size = 0.5f;
  while (size * size * float(columns) > 4) size /= 2;
  return size;
}

Case make_case(const std::string& name, uint64_t seed, int inputs, int longest, bool every,
               const std::vector<Spec>& specs, const std::vector<LossOf::Answer>& answers) {
  Case c{name, random_network(inputs, specs), answers, {}, {}};
  for (const LossOf::Answer& a : answers) c.own.push_back({uint32_t(a.kind), float(a.weight)});
  Noise noise(seed);
  for (Layer& layer : c.network.layers)
    for (tools::Array& a : layer.arrays)
      for (float& v : a.values) v = noise.number(-size_of(a.cols), size_of(a.cols));
  for (int i = 0; i < 11; ++i) {
    Example e;
    e.steps = 1 + (5 * i + 2) % longest;
    e.number = uint64_t(i);
    e.x = noise.uniform(size_t(e.steps) * size_t(inputs), -2, 2);
    for (int t = 0; t < (every ? e.steps : 1); ++t) {
      int column = 0;
      for (const LossOf::Answer& a : answers)
        for (int k = 0; k < (a.kind == SLUICE_CROSS_ENTROPY ? 1 : a.outputs); ++k, ++column) {
          const float value = a.kind == SLUICE_MSE
                                  ? noise.number(-1, 1)
                                  : float(noise.below(a.kind == SLUICE_BINARY ? 2 : a.outputs));
          const bool masked = (i + t + column) % 5 == 4;
          if (answers.size() == 1 && a.kind == SLUICE_CROSS_ENTROPY)
            e.classes.push_back(masked ? -1 : int32_t(value));
          e.values.push_back(masked ? none : value);
        }
    }
    c.batch.push_back(e);
  }
  return c;
}

const std::vector<Case>& every_golden_graph() {
  const LossOf::Answer values{SLUICE_MSE, 1, 3}, classes{SLUICE_CROSS_ENTROPY, 1, 4};
  static const std::vector<Case> cases = {
      make_case("residual", 41, 5, 13, true,
                {dense(9, SLUICE_RELU), gru(9, every_step), add({1, 2}), gru(9, every_step),
                 add({3, 4}), dense(3)},
                {values}),
      make_case("residual_last", 42, 5, 13, false,
                {dense(9), gru(9, every_step), add({1, 2}), gru(9), add({3, 4}),
                 dense(4, SLUICE_SOFTMAX)},
                {classes}),
      // The shape of RNNoise 0.1, which answers whether there is a voice, and the gains of 22 bands
      // (Valin 2018).
      make_case("noise_suppressor", 43, 42, 7, true,
                {dense(24, SLUICE_TANH), gru(24, every_step), dense(1, SLUICE_SIGMOID),
                 concat({1, 2, 0}), gru(48, every_step), concat({2, 5, 0}), gru(96, every_step),
                 dense(22, SLUICE_SIGMOID), concat({3, 8})},
                {{SLUICE_BINARY, 0.5, 1}, {SLUICE_MSE, 1, 22}}),
      make_case("mask", 44, 7, 11, true,
                {gru(10, every_step), dense(7, SLUICE_SIGMOID), multiply({2, 0})},
                {{SLUICE_MSE, 1, 7}}),
      make_case("heads", 45, 4, 9, true,
                {gru(11, every_step), dense(5, SLUICE_SOFTMAX), from(dense(2), 1), concat({2, 3})},
                {{SLUICE_CROSS_ENTROPY, 0.75, 5}, {SLUICE_MSE, 2, 2}}),
      make_case("heads_last", 46, 4, 12, false,
                {gru(11), dense(5, SLUICE_SOFTMAX), from(dense(2), 1), concat({2, 3})},
                {{SLUICE_CROSS_ENTROPY, 0.75, 5}, {SLUICE_MSE, 2, 2}}),
  };
  return cases;
}

/// Checks an array against the file, which has all numbers, or every 97th and the sums of rows and
/// columns. The tolerance of each of these is `tolerance` times its largest number, or times
/// `least` if that is more.
void check_array(const Golden& golden, const std::string& name, const std::vector<float>& got,
                 double tolerance, double least = 0) {
  const auto check = [&](const std::string& part, const std::vector<double>& v) {
    const std::vector<double>& expected = golden[name + part].values;
    const double bound = tolerance * std::fmax(largest(expected), least);
    CAPTURE(name + part);
    CHECK(largest_difference(v, expected) <= bound);
  };
  const std::vector<double> numbers(got.begin(), got.end());
  if (golden.has(name)) return check("", numbers);
  std::vector<double> some;
  for (size_t i = 0; i < numbers.size(); i += 97) some.push_back(numbers[i]);
  check(".97th", some);
  const auto rows = size_t(golden[name + ".rows"].cols);
  const size_t columns = numbers.size() / rows;
  std::vector<double> of_rows(rows), of_columns(columns);
  for (size_t i = 0; i < numbers.size(); ++i)
    of_rows[i / columns] += numbers[i], of_columns[i % columns] += numbers[i];
  check(".rows", of_rows);
  check(".columns", of_columns);
}

void check_arrays(const Golden& golden, const Case& c, const Plain& plain, const std::string& what,
                  double tolerance, double least = 0) {
  for (size_t l = 0; l < plain.size(); ++l)
    for (const auto& [array, got] : plain[l])
      if (c.network.layers[l].kind == SLUICE_GRU || c.network.layers[l].kind == SLUICE_DENSE)
        check_array(
            golden,
            (std::ostringstream() << c.name << '.' << l + 1 << '.' << array << '.' << what).str(),
            got, tolerance, least);
}

}  // namespace

TEST_CASE(
    "graphs answer as PyTorch 2.13 does, the same bits on every instruction set, frame by frame "
    "too") {
  const Golden golden("graphs.txt");
  for (const Case& c : every_golden_graph()) {
    CAPTURE(c.name);
    const std::vector<double>& expected = golden[c.name + ".y"].values;
    std::vector<float> first;
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      const Opened model(c.network, table->name);
      const size_t outputs = model.info().outputs;
      std::vector<float> y;
      for (const Example& e : c.batch) {
        const std::vector<float> own = run_whole(model, e.x), steps = run_stepwise(model, e.x);
        y.insert(y.end(), own.begin(), own.end());
        CHECK(same_bits(steps.data() + (model.info().every_step ? 0 : steps.size() - outputs),
                        own.data(), own.size()));
      }
      if (first.empty()) first = y;
      CHECK(same_bits(y, first));
      CHECK(largest_difference(y, expected) <= 2e-6 * largest(expected));
    }
  }
}

TEST_CASE("gradients of ragged, masked batches of graphs agree with PyTorch 2.13 to 1e-5") {
  const Golden golden("graphs.txt");
  for (const Case& c : every_golden_graph()) {
    CAPTURE(c.name);
    std::vector<float> first;
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      Training training(c.network, c.options(), table->name);
      sluice_train_result result;
      const std::vector<float> raw = training.raw_gradient(c.batch, &result);
      if (first.empty()) first = raw;
      CHECK(same_bits(raw, first));
      CHECK(std::fabs(result.loss_sum / result.weight - golden[c.name + ".loss"].values[0]) <=
            1e-6);
      check_arrays(golden, c, training.by_name(raw.data()), "grad", 1e-5);
    }
    if (c.answers.size() > 1) continue;
    std::vector<Example> by_values = c.batch;  // a loss for the only answer gives the same
    for (Example& e : by_values) e.classes.clear();
    Training training(c.network, c.options(true));
    CHECK(same_bits(training.raw_gradient(by_values), first));
  }
}

TEST_CASE(
    "twenty steps of Adam on graphs agree with PyTorch 2.13, the same bytes on every instruction "
    "set") {
  const Golden golden("graphs.txt");
  for (const Case& c : every_golden_graph()) {
    CAPTURE(c.name);
    const std::vector<Example> even(c.batch.begin(), c.batch.end() - 3),
        odd(c.batch.begin() + 3, c.batch.end());
    std::string first;
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      Training training(c.network, c.options(), table->name);
      for (int step = 0; step < 20; ++step) training.step(step % 2 == 0 ? even : odd);
      if (first.empty()) first = training.stored();
      CHECK(training.stored() == first);
      check_arrays(golden, c, training.weights(), "after", 1e-5, 1);
    }
  }
}

TEST_CASE("the weight of an answer must be above 0") {
  const Case& c = every_golden_graph().back();
  std::vector<sluice_answer_options> own = c.own;
  sluice_train_options options = c.options();
  options.answers = own.data();
  const Opened model(c.network);
  CHECK(sluice_train_needs(&model.model, &options) > 0);
  for (const float weight : {0.0f, -1.0f, none, std::numeric_limits<float>::infinity()}) {
    own[0].weight = weight;
    CHECK_EQ(sluice_train_needs(&model.model, &options), 0u);
  }
}

TEST_CASE("memory behind a sequence's last frame has no influence on a graph's gradient") {
  std::vector<Case> cases = every_golden_graph();
  for (const auto& [name, specs] : every_graph()) {
    Case c{name, random_network(5, specs, 151), {{SLUICE_MSE, 1, 0}}, {}, {}};
    c.batch = random_examples(c.network, 11, 6, false, 152);
    cases.push_back(c);
  }
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const size_t inputs = size_t(tools::frame_width(c.network));
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      Training training(c.network, c.options(), table->name);
      const std::vector<float> expected = training.raw_gradient(c.batch);
      // Varies the rows of memory that follow the frames, and those that an earlier batch left in
      // the arena.
      std::vector<Example> longer = c.batch;
      for (Example& e : longer) e.x.resize(13 * inputs, none);
      CHECK(same_bits(training.raw_gradient(longer), expected));
      std::vector<Example> full = c.batch;
      for (Example& e : full) {
        e.steps = 13;
        e.x.assign(13 * inputs, none);
        if (!e.values.empty()) e.values.resize(13 * e.values.size(), 0.5f);
        if (!e.classes.empty()) e.classes.resize(13, 0);
        for (float& v : e.values) v = std::isnan(v) ? v : 0.0f;
      }
      training.raw_gradient(full);
      CHECK(same_bits(training.raw_gradient(c.batch), expected));
      // Adds a longer neighbor without targets, so that the others' rows continue up to its end.
      for (size_t i = 0; i < c.batch.size(); i += 3) {
        const std::vector<float> alone = training.raw_gradient({c.batch[i]});
        Example neighbor = full[0];
        Noise noise(153);
        neighbor.x = noise.uniform(13 * inputs);
        std::fill(neighbor.values.begin(), neighbor.values.end(), none);
        std::fill(neighbor.classes.begin(), neighbor.classes.end(), -1);
        CHECK(same_bits(training.raw_gradient({neighbor, c.batch[i]}), alone));
        CHECK(same_bits(training.raw_gradient({c.batch[i], neighbor}), alone));
      }
    }
  }
}
