// Charts of a training's log.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "../evaluate/monitor.h"
#include "../recipe/heads.h"
#include "../recipe/keys.h"
#include "../recipe/values.h"
#include "../recipe/write.h"
#include "charts.h"
#include "kernels/kernels.h"
#include "markup.h"
#include "report.h"

namespace sluice::tools {
namespace {

const Axis epochs{.label = "epoch", .whole = true};
const Axis share_axis{.label = "accuracy (%)", .most = 100};

/// Returns the unit of a loss.
std::string loss_unit(const Recipe& recipe) {
  if (!heads_of(recipe).empty()) return "weighted sum";
  if (recipe.loss == LossKind::cross_entropy || recipe.loss == LossKind::binary) return "nats";
  const std::string what = recipe.loss == LossKind::huber     ? "Huber"
                           : recipe.loss == LossKind::mse_sum ? "squared error, summed"
                                                              : "squared error";
  return recipe.standardize_target ? what + ", in deviations" : what;
}

Series series_of(const NamedLog& log, std::string_view column, const std::string& name, int color) {
  const LogColumn* const found = log.log.find(column);
  Series series{name, log.log.epochs, {}, color};
  series.y = found ? found->values : std::vector<double>(series.x.size(), std::nan(""));
  return series;
}

bool any_has(const std::vector<NamedLog>& logs, std::string_view column) {
  return std::any_of(logs.begin(), logs.end(),
                     [&](const NamedLog& log) { return log.log.find(column); });
}

/// Returns the index of the smallest finite value; values.size() if there is none.
std::size_t lowest(const std::vector<double>& values) {
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]) && (best == values.size() || values[i] < values[best])) best = i;
  return best;
}

double last(const std::vector<double>& values) {
  for (auto v = values.rbegin(); v != values.rend(); ++v)
    if (std::isfinite(*v)) return *v;
  return std::nan("");
}

/// Returns "Loss: training 0.0224 at the end, validation 0.0712 (lowest 0.068, epoch 41)".
std::string loss_title(const NamedLog& log) {
  const LogColumn *const own = log.log.find("loss"), *const held_out =
                                                         log.log.find("validation_loss");
  std::string title =
      fmt::format("Loss: training {} at the end", own ? figure_text(last(own->values)) : "unknown");
  if (!held_out) return title;
  title += fmt::format(", validation {}", figure_text(last(held_out->values)));
  if (const std::size_t best = lowest(held_out->values); best < held_out->values.size())
    title += fmt::format(" (lowest {}, epoch {})", figure_text(held_out->values[best]),
                         log.log.epochs[best]);
  return title;
}

/// Returns a mark at the epoch that early stopping kept.
std::vector<Mark> kept_mark(const NamedLog& log, const Recipe& recipe) {
  const LogColumn* const watched = log.log.find(fmt::format("validation_{}", word(recipe.monitor)));
  if (recipe.patience == 0 || !watched) return {};
  std::vector<double> values = watched->values;
  if (higher_is_better(recipe.monitor))
    for (double& v : values) v = -v;
  const std::size_t best = lowest(values);
  if (best == values.size()) return {};
  return {{fmt::format("kept: epoch {}", log.log.epochs[best]), log.log.epochs[best]}};
}

/// Returns the curves of a column for training and validation, from one log.
std::vector<Series> both_parts(const NamedLog& log, const std::string& column) {
  if (!log.log.find("validation_" + column)) return {series_of(log, column, "", 1)};
  return {series_of(log, column, "training", 1),
          series_of(log, "validation_" + column, "validation", 2)};
}

/// Returns the curves of one column from every log.
std::vector<Series> of_all(const std::vector<NamedLog>& logs, const std::string& column) {
  std::vector<Series> series;
  for (const NamedLog& log : logs) {
    const bool named = std::none_of(series.begin(), series.end(),
                                    [&](const Series& s) { return s.name == log.name; });
    series.push_back(series_of(log, column, named ? log.name : "", log.color));
    series.back().faint = logs.size() > std::size_t(4);
  }
  return series;
}

void in_percent(std::vector<Series>& list) {
  for (Series& s : list)
    for (double& y : s.y) y *= 100;
}

/// Converts mean losses of tokens to perplexities, their exponentials.
void as_perplexity(std::vector<Series>& list) {
  for (Series& s : list)
    for (double& y : s.y) {
      float value = float(y);
      pick_kernels("scalar")->exp_f32(&value, &value, 1);
      y = double(value);
    }
}

std::string gradient_chart(const NamedLog& log, const Recipe& recipe) {
  std::vector<Series> series = {series_of(log, "gradient_norm", "before clipping", 1),
                                series_of(log, "gradient_norm_clipped", "after clipping", 2)};
  std::size_t lowered = 0;
  for (std::size_t i = 0; i < series[0].y.size(); ++i)
    lowered += series[1].y[i] < series[0].y[i] * (1 - 1e-6);
  std::string what = recipe.clip_norm > 0 ? fmt::format("to a norm of {}", recipe.clip_norm) : "";
  if (recipe.clip_value > 0)
    what = fmt::format("each number to \u00b1{}{}{}", recipe.clip_value,
                       what.empty() ? "" : " and ", what);
  const std::string title =
      what.empty() ? "Gradient norm: nothing was clipped"
                   : fmt::format("Gradient norm: clipping {} took effect in {} of {} epochs", what,
                                 with_commas(lowered), with_commas(series[0].y.size()));
  if (what.empty()) series.pop_back(), series[0].name.clear();
  return line_chart({.title = title,
                     .x = epochs,
                     .y = {.label = "norm"},
                     .series = series,
                     .note = "Mean over an epoch\u2019s batches, penalties included.",
                     .logarithmic = true});
}

/// Returns every penalty in force: "train.l2 = 1e-3".
std::string penalties(const Recipe& recipe) {
  std::string text;
  for (const char* name :
       {"train.l1", "train.l2", "train.elastic", "train.weight_decay", "train.max_norm"}) {
    const Key& key = *find_key(name);
    if (const std::string value = value_text(recipe, key);
        value != value_text(default_recipe(), key))
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  }
  return text;
}

std::string weight_chart(const NamedLog& log, const Recipe& recipe) {
  std::vector<Series> series;
  for (int g = 0; g < weight_group_count; ++g) {
    const std::string column = fmt::format("weight_norm.{}", weight_groups[g]);
    if (log.log.find(column)) series.push_back(series_of(log, column, weight_groups[g], g + 1));
  }
  if (series.empty()) return "";
  const std::string by = penalties(recipe);
  return line_chart({.title = by.empty() ? "Weight norms: no penalty holds them down"
                                         : "Weight norms under " + by,
                     .x = epochs,
                     .y = {.label = "norm of all weights of a kind"},
                     .series = series,
                     .note = "Square root of the sum of squares, at each epoch\u2019s end.",
                     .logarithmic = true});
}

/// Returns the chart of zero blocks for each recurrent layer of a pruned network.
std::string zero_chart(const NamedLog& log) {
  std::vector<Series> series;
  for (int layer = 0;; ++layer) {
    const std::string column = fmt::format("zero_blocks.{}", layer);
    if (!log.log.find(column)) break;
    series.push_back(
        series_of(log, column, fmt::format("recurrent layer {}", layer + 1), layer + 1));
  }
  if (series.empty()) return "";
  in_percent(series);
  return line_chart({.title = "Pruned: blocks of 8 x 4 weights that are zero",
                     .x = epochs,
                     .y = {.label = "share of blocks (%)", .most = 100},
                     .series = series,
                     .note = "At each epoch\u2019s end, by layer."});
}

/// A figure of a head in the log: its loss, its accuracy or its root mean squared error.
struct HeadColumn {
  std::string name;  ///< in the log
  std::string title, label;
  bool share;
};

std::vector<HeadColumn> head_columns(const Recipe& recipe) {
  std::vector<HeadColumn> columns;
  for (const Head& head : heads_of(recipe)) {
    const std::string of_log = fmt::format("validation_heads.{}.", head.name);
    columns.push_back({of_log + "loss", fmt::format("{}: validation loss", head.name),
                       fmt::format("loss ({})", loss_word(head)), false});
    columns.push_back(
        {of_log + "accuracy", fmt::format("{}: validation accuracy", head.name), "", true});
    columns.push_back({of_log + "rmse",
                       fmt::format("{}: root mean squared error of validation", head.name),
                       "root mean squared error", false});
  }
  return columns;
}

/// A curve for each number that the log has of a head.
std::string head_charts(const NamedLog& log, const Recipe& recipe) {
  std::string drawn;
  for (const HeadColumn& column : head_columns(recipe)) {
    if (!log.log.find(column.name)) continue;
    std::vector<Series> series = {series_of(log, column.name, "", 1)};
    if (column.share) in_percent(series);
    drawn +=
        line_chart({.title = fmt::format("{} {}{} at the end", column.title,
                                         figure_text(last(series[0].y)), column.share ? " %" : ""),
                    .x = epochs,
                    .y = column.share ? share_axis : Axis{.label = column.label},
                    .series = series,
                    .marks = kept_mark(log, recipe),
                    .logarithmic = !column.share});
  }
  return drawn;
}

std::string rate_title(const NamedLog& log, const Recipe& recipe) {
  const LogColumn* const rate = log.log.find("learning_rate");
  if (!rate || rate->values.empty()) return "Learning rate";
  const double first = rate->values.front(), end = last(rate->values);
  if (first == end) return fmt::format("Learning rate: {} throughout", figure_text(end));
  return fmt::format("Learning rate: from {} to {}, schedule {}", figure_text(first),
                     figure_text(end), word(recipe.schedule));
}

std::string curves_of_one(const NamedLog& log, const Recipe& recipe) {
  std::string drawn = line_chart(
      {.title = loss_title(log),
       .x = epochs,
       .y = {.label = "loss (" + loss_unit(recipe) + ")"},
       .series = both_parts(log, "loss"),
       .marks = kept_mark(log, recipe),
       .note = "Training: mean over the epoch\u2019s batches, with dropout, without penalties.",
       .logarithmic = true});
  drawn += head_charts(log, recipe);
  if (log.log.find("accuracy")) {
    std::vector<Series> series = both_parts(log, "accuracy");
    in_percent(series);
    std::string title =
        fmt::format("Accuracy: training {} % at the end", figure_text(last(series[0].y)));
    if (series.size() > 1)
      title += fmt::format(", validation {} %", figure_text(last(series[1].y)));
    drawn += line_chart({.title = title,
                         .x = epochs,
                         .y = share_axis,
                         .series = series,
                         .marks = kept_mark(log, recipe)});
  }
  if (recipe.format == Format::text) {
    std::vector<Series> series = both_parts(log, "loss");
    as_perplexity(series);
    drawn += line_chart({.title = fmt::format("Perplexity: {} {} at the end",
                                              series.size() > 1 ? "validation" : "training",
                                              figure_text(last(series.back().y))),
                         .x = epochs,
                         .y = {.label = "perplexity"},
                         .series = series,
                         .note = "The exponential of the loss: among how many tokens the model is "
                                 "as good as undecided.",
                         .logarithmic = true});
  }
  drawn += line_chart({.title = rate_title(log, recipe),
                       .x = epochs,
                       .y = {.label = "learning rate"},
                       .series = {series_of(log, "learning_rate", "", 1)},
                       .logarithmic = recipe.schedule != Schedule::cosine &&
                                      recipe.schedule != Schedule::one_cycle});
  return charts(drawn + gradient_chart(log, recipe) + weight_chart(log, recipe) + zero_chart(log));
}

/// Returns "Validation loss: lowest at the end is wide with 0.1317".
std::string end_title(const std::string& what, const std::vector<NamedLog>& logs,
                      const std::vector<Series>& series, bool highest) {
  std::size_t best = series.size();
  const auto end = [&](std::size_t i) { return last(series[i].y); };
  for (std::size_t i = 0; i < series.size(); ++i)
    if (std::isfinite(end(i)) &&
        (best == series.size() || (highest ? end(i) > end(best) : end(i) < end(best))))
      best = i;
  if (best == series.size()) return what;
  return fmt::format("{}: {} at the end is {} with {}{}", what, highest ? "highest" : "lowest",
                     shortened(logs[best].name, 40), figure_text(end(best)), highest ? " %" : "");
}

std::string curves_of_many(const std::vector<NamedLog>& logs, const Recipe& recipe) {
  std::string drawn;
  const auto add = [&](const std::string& title, const std::string& column,
                       const std::string& label, bool share, bool judged) {
    if (!any_has(logs, column)) return;
    std::vector<Series> series = of_all(logs, column);
    if (share) in_percent(series);
    drawn += line_chart({.title = judged ? end_title(title, logs, series, share) : title,
                         .x = epochs,
                         .y = share ? share_axis : Axis{.label = label},
                         .series = series,
                         .logarithmic = judged && !share});
  };
  const std::string loss = "loss (" + loss_unit(recipe) + ")";
  add("Validation loss", "validation_loss", loss, false, true);
  add("Training loss", "loss", loss, false, true);
  add("Validation accuracy", "validation_accuracy", "", true, true);
  add("Training accuracy", "accuracy", "", true, true);
  for (const HeadColumn& column : head_columns(recipe))
    add(column.title, column.name, column.label, column.share, true);
  add("Learning rate", "learning_rate", "learning rate", false, false);
  add("Gradient norm, before clipping", "gradient_norm", "norm", false, false);
  for (const char* group : weight_groups)
    add(fmt::format("Norm of the {} weights", group), fmt::format("weight_norm.{}", group), "norm",
        false, false);
  return charts(drawn);
}

}  // namespace

std::string curves(const std::vector<NamedLog>& logs, const Recipe& recipe) {
  if (std::all_of(logs.begin(), logs.end(),
                  [](const NamedLog& log) { return log.log.epochs.empty(); }))
    return section("Training", missing("No epoch has ended yet, so there is nothing to draw."));
  return section("Training",
                 logs.size() == 1 ? curves_of_one(logs[0], recipe) : curves_of_many(logs, recipe));
}

}  // namespace sluice::tools
