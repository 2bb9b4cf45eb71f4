// The cost of a model on boards, and the comparison of fixed point with float.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "../common/print.h"
#include "../convert/cost.h"
#include "../evaluate/range_trials.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "../recipe/made.h"
#include "charts.h"
#include "markup.h"
#include "report.h"

namespace sluice::tools {
namespace {

/// The model in fixed point: the run's own, or the one that `sluice quantize` would make.
struct Fixed {
  std::optional<OwnedModel> made;
  const OwnedModel* model = nullptr;  ///< null: none
  std::string why_not, how;
};

Fixed fixed_of(const ReportedRun& run, const OwnedModel& own) {
  Fixed fixed;
  if (own.info().format != SLUICE_F32) {
    fixed.model = &own;
    fixed.how =
        "It was trained for fixed point. The float column is the model with the weights that it "
        "was made of.";
    return fixed;
  }
  const std::string made = own.made();
  const sluice_format format = run.recipe.device_type == SLUICE_W8A16 ? SLUICE_W8A16 : SLUICE_INT8;
  const Network network = with_integer_form(read_network(own.model), format);
  try {
    check_quantizable(network);
    if (!run.input) refuse("the data are missing, and without them no ranges can be chosen");
    const DataSet& data = run.input->train;
    const Split split = split_of_made(made, data);
    if (!has_target(data, split.held_out) || !has_target(data, split.train))
      refuse("there are too few sequences to choose ranges on some and evaluate them on others");
    RangeTrials trials = try_ranges(network, format, std::nullopt, data, split);
    RangeTrial& best = trials.best();
    fixed.how =
        fmt::format("Made for this page as by \u201csluice quantize\u201d, with ranges by {}.",
                    word(best.choice));
    fixed.model = &fixed.made.emplace(std::move(best.model));
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    fixed.why_not = fmt::format("There is no model in fixed point: {}.", error.what());
  }
  return fixed;
}

const char* format_name(const OwnedModel& model) { return sluice_format_name(model.info().format); }

/// The costs of a model on every core that runs it.
struct Costs {
  const OwnedModel& model;
  std::vector<std::optional<DeviceCost>> on;  ///< [counted_cores()]
};

Costs costs_of(const OwnedModel& model) {
  Costs costs{model, {}};
  const Network network = read_network(model.model);
  for (const std::string& core : counted_cores())
    costs.on.push_back(
        device_cost(network, core, std::string("The cost in ") + format_name(model)));
  return costs;
}

std::string cost_table(const std::vector<Costs>& models) {
  std::vector<std::vector<std::string>> rows = {{"core", "type", "flash: model", "flash: code",
                                                 "RAM: state, scratch", "RAM: stack",
                                                 "instructions per step"}};
  const std::vector<std::string> cores = counted_cores();
  for (std::size_t c = 0; c < cores.size(); ++c)
    for (const Costs& costs : models) {
      const std::optional<DeviceCost>& on_core = costs.on[c];
      if (!on_core) continue;
      const DeviceCost& cost = *on_core;
      rows.push_back({cores[c], format_name(costs.model), with_commas(cost.flash),
                      with_commas(cost.code), with_commas(cost.ram), with_commas(cost.stack),
                      with_commas(cost.instructions)});
    }
  return html_table(rows) +
         "<p class=\"note\">Bytes are exact; the code is that of all layers of the number format "
         "at -O2. Instructions are estimates, within 5 %. A core without a row for f32 has no "
         "float unit with fused multiply-add.</p>\n";
}

std::string cost_charts(const std::vector<Costs>& models) {
  const auto bars = [&](const std::string& title, const char* label, auto amount) {
    Bars chart{.title = title, .x = {.label = label}, .rows = counted_cores()};
    for (const Costs& costs : models) chart.series.push_back(format_name(costs.model));
    for (std::size_t c = 0; c < chart.rows.size(); ++c)
      for (const Costs& costs : models)
        if (const std::optional<DeviceCost>& on_core = costs.on[c])
          chart.values.push_back(double(amount(*on_core)));
        else
          chart.values.push_back(std::nan(""));
    return bar_chart(chart);
  };
  return charts(bars("Instructions per step", "instructions",
                     [](const DeviceCost& c) { return c.instructions; }) +
                bars("Flash: the model and all code", "bytes",
                     [](const DeviceCost& c) { return c.flash + c.code; }) +
                bars("RAM: state, scratch and stack", "bytes",
                     [](const DeviceCost& c) { return c.ram + c.stack; }));
}

/// Returns the costs of a model that are the same on any core.
std::string bytes_everywhere(const ReportedRun& run, const Fixed& fixed) {
  std::vector<std::vector<std::string>> rows = {
      {"type", "model, bytes", "state of a stream, bytes", "scratch, bytes"}};
  for (const OwnedModel* const model : {run.real(), fixed.model}) {
    if (!model) continue;
    const sluice_need need = sluice_needs(&model->model, {1, 1});
    rows.push_back({format_name(*model), with_commas(model->info().bytes), with_commas(need.state),
                    with_commas(need.scratch)});
  }
  return html_table(rows);
}

/// Returns the costs of each model that has any, and for the others the reason.
std::string cost_on_cores(const ReportedRun& run, const Fixed& fixed) {
  std::vector<Costs> models;
  std::string untold;
  for (const OwnedModel* const model : {run.real(), fixed.model}) {
    if (!model) continue;
    try {
      models.push_back(costs_of(*model));
    } catch (const Error& error) {
      if (error.exit_code != 2) throw;
      untold += missing(fmt::format("{}.", error.what()));
    }
  }
  if (!untold.empty()) untold += bytes_everywhere(run, fixed);
  return models.empty() ? untold : cost_charts(models) + cost_table(models) + untold;
}

std::string share_text(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// How alike two models' answers to the same questions are.
std::vector<std::string> agreement(const Evaluation& a, const Evaluation& b,
                                   const std::string& names) {
  if (!a.classes) {
    double squares = 0, most = 0;
    for (std::size_t i = 0; i < a.answers.size(); ++i) {
      const double apart = std::fabs(a.answers[i].error - b.answers[i].error);
      squares += apart * apart, most = std::max(most, apart);
    }
    return {names, "",
            fmt::format("{} apart (root mean square), {} at most",
                        figure_text(std::sqrt(squares /
                                              double(std::max<std::size_t>(a.answers.size(), 1)))),
                        figure_text(most))};
  }
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.answers.size(); ++i)
    same += a.answers[i].guess == b.answers[i].guess;
  return {
      names, "",
      fmt::format("{} of {} ({})", with_commas(same), with_commas(a.answers.size()),
                  share_text(double(same) / double(std::max<std::size_t>(a.answers.size(), 1))))};
}

std::string beside_float(const ReportedRun& run, const OwnedModel& real, const OwnedModel& fixed,
                         const Measured* measured) {
  std::vector<std::vector<std::string>> rows = {{"", "float", format_name(fixed)}};
  const auto add = [&](const std::string& what, const std::string& a, const std::string& b) {
    rows.push_back({what, a, b});
  };
  const sluice_need was = sluice_needs(&real.model, {1, 1}),
                    is = sluice_needs(&fixed.model, {1, 1});
  if (measured) {
    const Evaluation a = run.evaluated(real, measured->part),
                     b = run.evaluated(fixed, measured->part);
    const auto add_part = [&](const Evaluation& x, const Evaluation& y) {
      const std::string head = x.name.empty() ? "" : x.name + ": ";
      if (x.classes)
        add(head + "accuracy, " + measured->part.name, share_text(x.accuracy()),
            share_text(y.accuracy()));
      add(head + "loss, " + measured->part.name, figure_text(x.loss), figure_text(y.loss));
      if (!x.classes)
        add(head + "mean absolute error", figure_text(x.absolute_error),
            figure_text(y.absolute_error));
      rows.push_back(agreement(x, y, head + (x.classes ? "same answer" : "answers")));
    };
    if (!a.heads.empty())
      add("loss, " + measured->part.name, figure_text(a.loss), figure_text(b.loss));
    for (std::size_t i = 0; i < parts_of(a).size(); ++i) add_part(parts_of(a)[i], parts_of(b)[i]);
  }
  add("model, bytes", with_commas(real.info().bytes), with_commas(fixed.info().bytes));
  add("state of a stream, bytes", with_commas(was.state), with_commas(is.state));
  add("scratch, bytes", with_commas(was.scratch), with_commas(is.scratch));
  return html_table(rows);
}

}  // namespace

std::string devices(const ReportedRun& run, const Measured* measured) {
  const Fixed fixed = run.model ? fixed_of(run, *run.model) : Fixed{};
  std::string inside = fixed.model
                           ? fmt::format("<h3>{} beside float</h3>\n", format_name(*fixed.model))
                           : "<h3>Fixed point</h3>\n";
  if (!fixed.model) inside += missing(fixed.why_not);
  if (fixed.model && run.real())
    inside += beside_float(run, *run.real(), *fixed.model, measured) + paragraph(fixed.how);
  if (fixed.model && !run.real())
    inside += paragraph("The float weights that it was made of are not in the run\u2019s folder.");
  return section("On devices", inside + "<h3>Cost on each core</h3>\n" + cost_on_cores(run, fixed));
}

}  // namespace sluice::tools
