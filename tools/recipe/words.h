// The keys and layer options whose values are words: an enum for each, and its words in the order
// of its values. Recipes are read, written and explained by these lists. All other code uses the
// enums.
#pragma once
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../data/data.h"
#include "sluice.h"

namespace sluice::tools {

/// The words of an enum whose values count from 0.
template <class E>
inline constexpr std::string_view enum_words[1] = {};

// [data]
enum class TargetType { classes, values };
enum class TargetPer { sequence, row };
enum class TokenKind { automatic, characters, words };
enum class Cut { front, back };
enum class WindowsTarget { value, difference };
enum class DecimalMark { automatic, point, comma };

template <>
inline constexpr std::string_view enum_words<Format>[] = {"table", "text", "tsv", "wide",
                                                          "ucr",   "ts",   "arff"};
template <>
inline constexpr std::string_view enum_words<TargetType>[] = {"class", "value"};
template <>
inline constexpr std::string_view enum_words<TargetPer>[] = {"sequence", "row"};
template <>
inline constexpr std::string_view enum_words<TokenKind>[] = {"auto", "characters", "words"};
template <>
inline constexpr std::string_view enum_words<Cut>[] = {"front", "back"};
template <>
inline constexpr std::string_view enum_words<WindowsTarget>[] = {"value", "difference"};
template <>
inline constexpr std::string_view enum_words<DecimalMark>[] = {"auto", ".", ","};
template <>
inline constexpr std::string_view enum_words<Fill>[] = {"refuse", "previous", "mean"};
template <>
inline constexpr std::string_view enum_words<TargetFrom>[] = {"column", "file", "folder"};
template <>
inline constexpr std::string_view enum_words<WindowClass>[] = {"last", "majority"};
template <>
inline constexpr std::string_view enum_words<ValidationOrder>[] = {"random", "time"};

// [model], and the options of layers
enum class Initializer {
  pytorch,
  xavier_uniform,
  xavier_normal,
  kaiming_uniform,
  kaiming_normal,
  orthogonal,
  zeros
};
enum class BatchNorm { pytorch, keras };
enum class StepsOut { open, every, last, mean };  ///< open: not given in the recipe
enum class Directions { one, both };
enum class Padding { none, zero, reflect };  ///< of patches: the numbers beyond either end
enum class Reset { after, before };
enum class HeadLoss { none, cross_entropy, binary, mse, huber };  ///< none: the layer is no head

template <>
inline constexpr std::string_view enum_words<Initializer>[] = {
    "pytorch",        "xavier_uniform", "xavier_normal", "kaiming_uniform",
    "kaiming_normal", "orthogonal",     "zeros"};
template <>
inline constexpr std::string_view enum_words<BatchNorm>[] = {"pytorch", "keras"};
template <>
inline constexpr std::string_view enum_words<StepsOut>[] = {"", "every", "last", "mean"};
template <>
inline constexpr std::string_view enum_words<Directions>[] = {"one", "both"};
template <>
inline constexpr std::string_view enum_words<Reset>[] = {"after", "before"};
template <>
inline constexpr std::string_view enum_words<Padding>[] = {"none", "zero", "reflect"};
template <>
inline constexpr std::string_view enum_words<HeadLoss>[] = {"", "cross_entropy", "binary", "mse",
                                                            "huber"};
template <>
inline constexpr std::string_view enum_words<sluice_activation>[] = {
    "linear",     "tanh",        "sigmoid", "relu",      "softmax",   "hard_sigmoid", "elu",
    "leaky_relu", "prelu",       "silu",    "gelu",      "gelu_tanh", "softplus",     "clip",
    "softsign",   "exponential", "selu",    "hard_silu", "sqrt",      "log"};

// [train]
enum class LossKind { cross_entropy, binary, mse, mse_sum, huber };
enum class ClassWeighting { none, balanced, given };  ///< given: a number for each class
enum class Sampling { all, balanced };
enum class Optimizer { adam, adamw, sgd, rmsprop };
enum class Schedule { constant, step, exponential, cosine, one_cycle, plateau };
enum class L1Step { gradient, proximal };
enum class EmbeddingRows { all, seen };
enum class Monitor { loss, accuracy, balanced_accuracy, macro_f1, auc, mae };

template <>
inline constexpr std::string_view enum_words<LossKind>[] = {"cross_entropy", "binary", "mse",
                                                            "mse_sum", "huber"};
template <>
inline constexpr std::string_view enum_words<ClassWeighting>[] = {"none", "balanced"};
template <>
inline constexpr std::string_view enum_words<Sampling>[] = {"all", "balanced"};
template <>
inline constexpr std::string_view enum_words<Optimizer>[] = {"adam", "adamw", "sgd", "rmsprop"};
template <>
inline constexpr std::string_view enum_words<Schedule>[] = {"constant", "step",      "exponential",
                                                            "cosine",   "one-cycle", "plateau"};
template <>
inline constexpr std::string_view enum_words<L1Step>[] = {"gradient", "proximal"};
template <>
inline constexpr std::string_view enum_words<EmbeddingRows>[] = {"all", "seen"};
template <>
inline constexpr std::string_view enum_words<Monitor>[] = {
    "loss", "accuracy", "balanced_accuracy", "macro_f1", "auc", "mae"};

// [quantize] and [device]
/// How a feature's range is chosen from its values.
enum class RangeChoice {
  min_max,     ///< all values
  percentile,  ///< all values except 0.05 % at either end
  min_error,   ///< the range, shrunk towards the mean, whose 256 steps have the least squared error
};

template <>
inline constexpr std::string_view enum_words<RangeChoice>[] = {"min-max", "percentile",
                                                               "min-error"};
template <>
inline constexpr std::string_view enum_words<sluice_format>[] = {"f32", "int8", "w8a16"};

// [tune]
enum class SearchMethod { grid, random, sobol, gaussian, forest, tpe, genetic };
enum class Acquisition { ei, ucb };  ///< expected improvement, confidence bound
enum class Halving { none, halving, hyperband };
enum class TuneValidation { hold_out, k_fold, time };

template <>
inline constexpr std::string_view enum_words<SearchMethod>[] = {
    "grid", "random", "sobol", "gaussian", "forest", "tpe", "genetic"};
template <>
inline constexpr std::string_view enum_words<Acquisition>[] = {"ei", "ucb"};
template <>
inline constexpr std::string_view enum_words<Halving>[] = {"none", "halving", "hyperband"};
template <>
inline constexpr std::string_view enum_words<TuneValidation>[] = {"hold-out", "k-fold", "time"};

/// Returns a value as a recipe writes it.
template <class E>
constexpr std::string_view word(E value) {
  return enum_words<E>[std::size_t(value)];
}

/// Returns a text unchanged.
inline std::string_view word(const std::string& text) { return text; }

/// Returns the words of these values, for a key or an option that takes no others.
template <class... E>
std::vector<std::string_view> only(E... values) {
  return {word(values)...};
}

/// Returns the value of a word; nothing for an unknown word.
template <class E>
std::optional<E> value_of_word(std::string_view text) {
  const auto found = std::find(std::begin(enum_words<E>), std::end(enum_words<E>), text);
  if (found == std::end(enum_words<E>)) return std::nullopt;
  return E(found - std::begin(enum_words<E>));
}

/// A member of Owner that is such an enum: its words, and its value as an index.
template <class Owner>
struct Choice {
  std::span<const std::string_view> words;
  std::size_t (*get)(const Owner&);
  void (*set)(Owner&, std::size_t);
};

template <auto member, class Owner, class E>
constexpr Choice<Owner> make_choice(E Owner::*) {
  return {enum_words<E>, [](const Owner& owner) { return std::size_t(owner.*member); },
          [](Owner& owner, std::size_t value) { owner.*member = E(value); }};
}

/// Returns the choice of a member: choice_field<&Recipe::optimizer>.
template <auto member>
inline constexpr auto choice_field = make_choice<member>(member);

/// The type of a member's value; for a choice its word.
template <class Owner>
std::string_view value_in(const Owner& owner, const Choice<Owner>& field) {
  return field.words[field.get(owner)];
}
template <class Owner, class Value>
const Value& value_in(const Owner& owner, Value Owner::* field) {
  return owner.*field;
}

}  // namespace sluice::tools
