#include "output_losses.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../common/error.h"
#include "measures.h"

namespace sluice::tools {
namespace {

constexpr double most_growth = 1.1;     // of an error
constexpr double least_growth = 0.005;  // of a loss of classes, which may be next to nothing
constexpr std::size_t most_told = 5;
constexpr double unknown = std::numeric_limits<double>::infinity();  // as an SNR

class Causes {
 public:
  Causes(const RangeTrial& trial, const std::vector<ValueError>& values,
         const std::vector<InputSaturation>& saturated)
      : after(trial), errors(values), inputs(saturated) {}

  /// Returns the cause of a loss of values.
  /// @param before, now  root of the mean squared error
  /// @param naive        the same of the naive answer
  /// @param numbers      of the answer, which have this error
  std::string of_values(double before, double now, double naive,
                        const std::vector<std::size_t>& numbers) const {
    const std::string cause = of_step(before, now, numbers);
    const double growth = now * now - before * before;
    return cause.empty() ? within(growth > 0 ? 10 * std::log10(naive * naive / growth) : unknown)
                         : cause;
  }

  /// Returns the cause if it is not the answer's own numbers.
  /// @param snr  of the loss, in dB, or `unknown`
  std::string within(double snr) const {
    const std::string cause = of_inputs();
    return cause.empty() ? of_layers(snr) : cause;
  }

 private:
  /// Returns the cause if rounding to the numbers' own unit, unit / sqrt(12), is half of what the
  /// squared error has grown by.
  std::string of_step(double before, double now, const std::vector<std::size_t>& numbers) const {
    const std::vector<float>& units = after.quantized.network.scales.unit;
    double unit = 0;
    for (const std::size_t i : numbers) unit = std::max(unit, double(units[i]));
    if (unit * unit / 12 < (now * now - before * before) / 2) return "";
    return fmt::format("its answers are multiples of {:.3g}, as its range{} demands", unit,
                       after.quantized.units.back().common() > 0 && units.size() > 1
                           ? ", which it shares with the other outputs of its layer,"
                           : "");
  }

  std::string of_inputs() const {
    for (const InputSaturation& input : inputs)
      if (input.differs)
        return fmt::format(
            "{} is constant in the data that gave the ranges, so that the model "
            "ignores it, but changes here",
            input.name);
    const InputSaturation* worst = nullptr;
    for (const InputSaturation& input : inputs)
      if (!worst || input.share > worst->share) worst = &input;
    if (!worst || worst->share < 0.01) return "";
    return fmt::format(
        "{} of the values of {} are outside of its range; give calibration data "
        "with such values, or try other --ranges",
        percent(worst->share), worst->name);
  }

  /// Names the value with the lowest SNR before the answers. If even that is far above the loss,
  /// the values cannot have caused it.
  std::string of_layers(double snr) const {
    constexpr double far = 20;  // dB
    const ValueError* worst = nullptr;
    for (const ValueError& value : errors)
      if (value.noise > 0 && !value.name.starts_with("answers") &&
          (!worst || value.snr() < worst->snr()))
        worst = &value;
    if (!worst || worst->snr() > snr + far) return "the weights that lead to it have 8 bits";
    const bool narrow = after.quantized.network.layers.front().format == SLUICE_INT8;
    return fmt::format(
        "the error is largest in {}, {:.1f} dB below the values{}",
        worst->layer == 0
            ? "the inputs"
            : fmt::format("{} of layer {} ({})", worst->name, worst->layer, worst->kind),
        worst->snr(), narrow ? "; --type w8a16 has 16 bits in place of 8 there" : "");
  }

  const RangeTrial& after;
  const std::vector<ValueError>& errors;
  const std::vector<InputSaturation>& inputs;
};

/// Adds the losses of values: each target by itself or, of many, each column of the horizon.
/// @param first  the number of the first one in the answer
void add_values(const Evaluation& before, const Evaluation& after, std::size_t first,
                const Causes& causes, std::vector<OutputLoss>& losses) {
  const bool many = before.labels.size() > most_listed;
  const std::vector<TargetErrors> was = many ? column_errors(before) : target_errors(before),
                                  is = many ? column_errors(after) : target_errors(after);
  for (std::size_t i = 0; i < was.size(); ++i) {
    if (was[i].targets == 0) continue;
    std::vector<std::size_t> numbers;
    for (std::size_t k = i; k < before.labels.size(); k += was.size()) numbers.push_back(first + k);
    const double rmse[] = {std::sqrt(was[i].squared), std::sqrt(is[i].squared)},
                 mae[] = {was[i].absolute, is[i].absolute};
    const bool squared = rmse[1] > most_growth * rmse[0];
    if (!squared && mae[1] <= most_growth * mae[0]) continue;
    losses.push_back(
        {was[i].label, squared ? "RMSE" : "MAE", squared ? rmse[0] : mae[0],
         squared ? rmse[1] : mae[1],
         causes.of_values(rmse[0], rmse[1], std::sqrt(was[i].naive_squared), numbers)});
  }
}

}  // namespace

std::vector<OutputLoss> output_losses(const Evaluation& before, const RangeTrial& after,
                                      const std::vector<ValueError>& errors,
                                      const std::vector<InputSaturation>& inputs) {
  const Causes causes(after, errors, inputs);
  std::vector<OutputLoss> losses;
  const std::span<const Evaluation> was = parts_of(before), is = parts_of(after.held_out);
  std::size_t first = 0;
  for (std::size_t part = 0; part < was.size(); ++part) {
    if (!was[part].classes)
      add_values(was[part], is[part], first, causes, losses);
    else if (is[part].loss > most_growth * was[part].loss &&
             is[part].loss > was[part].loss + least_growth)
      losses.push_back(
          {was[part].name, "loss", was[part].loss, is[part].loss, causes.within(unknown)});
    first += sluice_describe_answer(&after.model.model, std::uint32_t(part)).outputs;
  }
  return losses;
}

std::vector<std::string> loss_texts(const std::vector<OutputLoss>& losses,
                                    const std::string& type) {
  std::vector<std::string> texts;
  for (const OutputLoss& loss : losses) {
    if (texts.size() == most_told) {
      texts.push_back(fmt::format("{} more outputs lose more than 10 %; --report lists them",
                                  losses.size() - most_told));
      break;
    }
    texts.push_back(fmt::format(
        "{}{} {:.4g} in float, {:.4g} in {}{}{}", loss.output.empty() ? "" : loss.output + ": ",
        loss.measure, loss.before, loss.after, type, loss.cause.empty() ? "" : ": ", loss.cause));
  }
  return texts;
}

}  // namespace sluice::tools
