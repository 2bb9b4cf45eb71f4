// The top of the page, and the settings.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "../common/error.h"
#include "../common/print.h"
#include "../data/files.h"
#include "../evaluate/measures.h"
#include "../model/pack.h"
#include "../recipe/keys.h"
#include "../recipe/values.h"
#include "../recipe/write.h"
#include "markup.h"
#include "report.h"

namespace sluice::tools {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(shown_files(path)).filename().string();
}

std::string data_text(const ReportedRun& run) {
  std::string text = fmt::format("Trained on {}", file_name(run.recipe.train_file));
  if (!run.input) return text;
  const DataSet& data = run.input->train;
  std::uint64_t frames = 0;
  for (const std::size_t sequence : run.input->split.train) frames += data.steps(sequence);
  text += fmt::format(": {}, {}, ", counted(run.input->split.train.size(), "sequence"),
                      counted(frames, "frame"));
  text += counted(data.is_text() ? data.tokens.ids() : data.features(),
                  data.is_text() ? "id" : "feature");
  if (data.is_text() && data.per_row) return text + ", the next token being the target";
  if (!data.heads.empty()) return text + ", " + counted(data.heads.size(), "head");
  return text + fmt::format(", {} {}", with_commas(data.outputs()),
                            data.classes          ? "classes"
                            : data.outputs() == 1 ? "value"
                                                  : "values");
}

/// Returns the main figure of a run: accuracy, a text's perplexity, or the error of values.
Measure main_measure(const Evaluation& e) {
  if (e.classes && !e.text) return accuracy_measure(e);
  const std::vector<Measure> all = measures(e);
  const char* const name = e.text ? "perplexity" : "RMSE";
  return *std::find_if(all.begin(), all.end(), [&](const Measure& m) { return m.name == name; });
}

std::string text_of(const Measure& m, double value) {
  return m.share ? percent(value) : figure_text(value);
}

/// The answer, or those of its heads that have targets.
std::vector<const Evaluation*> with_targets(const Evaluation& evaluation) {
  std::vector<const Evaluation*> parts;
  for (const Evaluation& part : parts_of(evaluation))
    if (part.targets) parts.push_back(&part);
  return parts;
}

/// @param e  of the answer, or of a head
std::string result_fact(const Evaluation& e, const std::string& part) {
  const Measure m = main_measure(e);
  std::string more = fmt::format("{}, {} part, {}", m.name, part, counted(e.sequences, "sequence"));
  if (m.interval)
    more += fmt::format("; 95 % interval {} to {}", text_of(m, m.interval->low),
                        text_of(m, m.interval->high));
  if (m.naive) more += fmt::format("; always the {}: {}", m.answer, text_of(m, *m.naive));
  return fact(e.name.empty() ? "Result" : e.name, text_of(m, m.value), more);
}

std::string training_fact(const ReportedRun& run) {
  const Recipe& r = run.recipe;
  const std::size_t epochs = run.log.epochs.size();
  std::string more = fmt::format("{}, learning rate {}, {}, batch {}, seed {}", word(r.optimizer),
                                 r.learning_rate, word(r.schedule),
                                 r.batch == all_at_once ? "all" : std::to_string(r.batch), r.seed);
  return fact("Training", counted(epochs, "epoch"), more);
}

std::string size_fact(const OwnedModel& model) {
  std::uint64_t parameters = 0;
  for (std::uint32_t l = 0; l < model.info().layers; ++l)
    parameters += sluice_describe_layer(&model.model, l).parameters;
  return fact("Size", fmt::format("{} bytes", with_commas(model.info().bytes)),
              fmt::format("{}, {} parameters, {} multiply-accumulates a step",
                          sluice_format_name(model.info().format), with_commas(parameters),
                          with_commas(model.info().macs)));
}

/// Returns whether the model is better than the naive answer, as far as the data can tell.
bool beats_naive(const Measure& m) {
  if (!m.naive) return true;
  return m.share ? (m.interval ? m.interval->low : m.value) > *m.naive
                 : (m.interval ? m.interval->high : m.value) < *m.naive;
}

std::string advice(const ReportedRun& run, const Measured* measured) {
  const Recipe& recipe = run.recipe;
  const LogColumn* const held_out = run.log.find("validation_loss");
  if (!run.complete)
    return fmt::format(
        "The training did not come to its end{}: sluice train --resume {} goes on with it.",
        run.model ? ", and the model is the best so far" : "", run.name);
  if (!run.input) return run.no_input;
  for (const Evaluation* e :
       measured ? with_targets(measured->evaluation) : std::vector<const Evaluation*>{})
    if (!beats_naive(main_measure(*e)))
      return fmt::format(
          "The model{} is not clearly better than the naive answer: look at the data and the "
          "learning rate before anything else.",
          e->name.empty() ? "" : fmt::format("\u2019s answer \u201c{}\u201d", e->name));
  if (held_out && recipe.patience == 0) {
    const std::vector<double>& loss = held_out->values;
    const auto best = std::min_element(loss.begin(), loss.end(), [](double a, double b) {
      return a < b || (std::isnan(b) && !std::isnan(a));
    });
    const double epoch = run.log.epochs[std::size_t(best - loss.begin())];
    constexpr double much = 0.9;
    if (*best < much * loss.back())
      return fmt::format(
          "Validation was better before the end, at epoch {}, but the last one is kept; with "
          "train.patience the best one is.",
          epoch);
    if (best + 1 == loss.end() && loss.size() > 2)
      return "Validation still fell at the last epoch: more train.epochs may help.";
  }
  if (!held_out && recipe.test_file.empty())
    return "Nothing was held out: data.validation = 0.2 tells how good the model is on new data.";
  if (run.model && run.model->info().format == SLUICE_F32 && !recipe.device_core.empty())
    return fmt::format("For the device: sluice quantize {} --calibrate {}", run.name,
                       file_name(recipe.train_file));
  return fmt::format(
      "For a device: sluice export {} --format c --out firmware writes it as C source.", run.name);
}

/// Returns the keys of the recipe that are not at their defaults.
std::string settings(const Recipe& recipe) {
  const Recipe standard = default_recipe();
  std::vector<std::vector<std::string>> rows = {{"key", "value"}};
  for (const Key& key : keys()) {
    std::string value = value_text(recipe, key);
    if (key.never_changes_result || value == value_text(standard, key)) continue;
    if (key.file_name) value = file_name(recipe.*std::get<std::string Recipe::*>(key.field));
    rows.push_back({std::string(key.name), value});
  }
  return section("Settings", paragraph("Every key of the recipe that is not at its default.") +
                                 html_table(rows));
}

}  // namespace

std::string summary_of(const ReportedRun& run, const Measured* measured) {
  std::string html = fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\"><code>{}</code><br/>{}</p>\n", escaped(run.name),
      escaped(value_text(run.recipe, *find_key("model.layers"))), escaped(data_text(run)));
  std::string all;
  if (measured)
    for (const Evaluation* e : with_targets(measured->evaluation))
      all += result_fact(*e, measured->part.name);
  all += training_fact(run);
  if (run.model) all += size_fact(*run.model);
  html += fmt::format("<dl class=\"facts\">\n{}</dl>\n<p class=\"next\">{}</p>\n", all,
                      escaped(advice(run, measured)));
  return html;
}

std::string run_page(const ReportedRun& run, const std::vector<std::string>& sequences) {
  std::vector<Measured> measured;
  if (run.model)
    for (const Part& part : run.parts())
      measured.push_back({part, run.evaluated(*run.model, part)});
  const Measured* const main = measured.empty() ? nullptr : &measured.front();
  if (!main && !sequences.empty())
    refuse("--sequence {}: {}", sequences[0],
           run.model ? run.no_input : "the run has no model yet");
  std::string body = summary_of(run, main) + curves({{"", run.log}}, run.recipe);
  body += main ? results(measured)
               : section("Result",
                         missing(run.model ? run.no_input : "There is no model yet to measure."));
  if (run.model) body += network_section(read_network(run.model->model)) + devices(run, main);
  if (main) body += sequences_inside(run, *main, sequences);
  return html_page(run.name, body + settings(run.recipe));
}

}  // namespace sluice::tools
