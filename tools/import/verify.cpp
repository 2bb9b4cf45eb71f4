#include "verify.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice::tools {
namespace {

/// Returns the model's answers to a sequence: of every step that has one, or of the last one.
std::vector<float> answers(const OwnedModel& model, OwnedStream& stream, const TestVector& test) {
  const sluice_info info = model.info();
  std::vector<float> y((info.every_step ? test.steps : 1) * std::size_t(info.outputs));
  sluice_reset(&stream.stream);
  if (info.vocabulary == 0) {
    y.resize(stream.run(test.x.data(), y.data(), test.steps) * std::size_t(info.outputs));
    return y;
  }
  std::vector<std::int32_t> ids;
  for (const float id : test.x) ids.push_back(std::int32_t(id));
  y.resize(stream.run(ids.data(), y.data(), test.steps) * std::size_t(info.outputs));
  return y;
}

/// The sizes of an array of frames.
struct Sizes {
  std::size_t sequences = 1, steps = 0;
};

/// Returns the sizes that an array of frames can have, the likeliest first.
std::vector<Sizes> sizes_of(const Npy& x, std::size_t inputs, bool ids) {
  std::vector<std::size_t> shape = x.shape;
  // A frame may have several dimensions.
  for (std::size_t width = 1; !ids && !shape.empty() && width < inputs;) {
    width *= std::max<std::size_t>(1, shape.back());
    shape.pop_back();
  }
  if (!ids && inputs == 1 && !shape.empty() && shape.back() == 1) shape.pop_back();
  std::size_t frames = 1;
  for (const std::size_t size : shape) frames *= size;
  std::vector<Sizes> sizes;
  if (frames > 0 && frames * inputs == x.rows * x.cols) {
    if (shape.size() == 2) sizes.push_back({shape[0], shape[1]});
    if (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1 && shape[0] > 1))
      sizes.push_back({1, shape[0]});
  }
  if (sizes.empty())
    refuse(
        "{}: of shape {}, and the model has {} inputs; give [sequences][steps][{}] or [steps][{}]",
        x.name, x.shape_text(), inputs, inputs, inputs);
  return sizes;
}

std::vector<float> part_of(const Npy& array, std::size_t begin, std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = begin; i < begin + count; ++i)
    values.push_back(float(array.number(i / array.cols, i % array.cols)));
  return values;
}

}  // namespace

double Agreement::share() const { return difference == 0 ? 0 : difference / answer; }

Agreement compare(const OwnedModel& model, const std::vector<TestVector>& tests) {
  Agreement result;
  const std::size_t outputs = model.info().outputs;
  for (std::size_t s = 0; s < tests.size(); ++s) {
    const TestVector& test = tests[s];
    OwnedStream stream(model.model, {std::uint32_t(test.steps), 1});
    const std::vector<float> y = answers(model, stream, test);
    // Answers of the last step alone are compared with the last of all.
    const std::size_t skipped = y.size() - std::min(y.size(), test.y.size());
    const std::size_t extra = test.y.size() - (y.size() - skipped);
    for (std::size_t i = 0; i + skipped < y.size(); ++i) {
      const double wanted = double(test.y[extra + i]);
      const double difference = std::fabs(double(y[skipped + i]) - wanted);
      result.answer = std::max(result.answer, std::fabs(wanted));
      ++result.numbers;
      if (!(difference > result.difference) && !std::isnan(difference)) continue;
      result.difference = std::isnan(difference) ? double(INFINITY) : difference;
      result.sequence = s, result.row = (skipped + i) / outputs, result.output = i % outputs;
    }
    result.steps += test.steps;
  }
  return result;
}

void leave_out(std::vector<TestVector>& tests, float mask, std::size_t outputs) {
  std::vector<TestVector> kept;
  for (TestVector& test : tests) {
    const std::size_t inputs = test.x.size() / std::max<std::size_t>(1, test.steps);
    const bool every = test.steps > 1 && test.y.size() == test.steps * outputs;
    TestVector rest;
    for (std::size_t t = 0; t < test.steps; ++t) {
      const auto frame = test.x.begin() + std::ptrdiff_t(t * inputs),
                 end = frame + std::ptrdiff_t(inputs);
      if (std::all_of(frame, end, [&](float number) { return number == mask; })) continue;
      rest.x.insert(rest.x.end(), frame, end);
      const auto answer = test.y.begin() + std::ptrdiff_t(every ? t * outputs : 0);
      if (every) rest.y.insert(rest.y.end(), answer, answer + std::ptrdiff_t(outputs));
      ++rest.steps;
    }
    if (!every) rest.y = std::move(test.y);
    if (rest.steps > 0) kept.push_back(std::move(rest));
  }
  tests = std::move(kept);
}

std::vector<Reading> readings_of(const OwnedModel& model, const Npy& x, const Npy& y) {
  const sluice_info info = model.info();
  const bool ids = info.vocabulary != 0;
  const std::size_t inputs = ids ? 1 : info.inputs, outputs = info.outputs,
                    numbers = y.rows * y.cols;
  for (const Npy* array : {&x, &y})
    if (array->is_text()) refuse("{}: holds texts; give numbers", array->name);
  std::vector<Reading> readings;
  const std::vector<Sizes> all = sizes_of(x, inputs, ids);
  for (const Sizes& sizes : all)
    for (const bool every : {true, false}) {
      if (every && (!info.every_step || sizes.steps == 1)) continue;
      const std::size_t answer = (every ? answered_frames(info).of(sizes.steps) : 1) * outputs;
      if (numbers != sizes.sequences * answer) continue;
      Reading reading;
      reading.shape = fmt::format("{} sequence{} of {} steps", sizes.sequences,
                                  sizes.sequences == 1 ? "" : "s", sizes.steps);
      const std::size_t frame = sizes.steps * inputs;
      for (std::size_t s = 0; s < sizes.sequences; ++s)
        reading.tests.push_back(
            {part_of(x, s * frame, frame), part_of(y, s * answer, answer), sizes.steps});
      readings.push_back(std::move(reading));
    }
  if (!readings.empty()) return readings;
  const Sizes& first = all.front();
  refuse(
      "{}: {} numbers, and the model has {} outputs; give {} for the last step of each of {} "
      "sequences{}",
      y.name, numbers, outputs, first.sequences * outputs, first.sequences,
      info.every_step
          ? fmt::format(", or {} for every step",
                        first.sequences * answered_frames(info).of(first.steps) * outputs)
          : "");
}

}  // namespace sluice::tools
