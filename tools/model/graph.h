// The wiring of a network: the sources and readers of each layer, and the place of its output while
// it is needed.
#pragma once
#include <cstdint>
#include <vector>

#include "network.h"

namespace sluice::tools {

/// Returns the sources of a layer: 0 for the frame, else a layer counted from 1.
std::vector<std::uint32_t> sources_of(const Network& network, std::size_t layer);

/// Returns the layers, counted from 1, that read a source, in ascending order.
std::vector<std::uint32_t> readers_of(const Network& network, std::uint32_t source);

/// Returns the width of a source: of the frame, or of the output of a layer counted from 1.
int width_of(const Network& network, std::uint32_t source);

/// Returns whether every layer reads the one before it and nothing else.
bool is_chain(const Network& network);

/// Returns for each layer whether its output is one row per sequence: that of the last step, or a
/// result of it.
std::vector<bool> one_row_per_sequence(const Network& network);

/// Returns the steps that have an answer; as soon as they do not fit a blob, those so far.
Clock answered_steps(const Network& network);

/// Returns the first layer, counted from 1, that reads a source with an output at more steps than
/// the layer has: a layer between them leaves steps out for all that follow. 0: there is none.
std::size_t reads_other_steps(const Network& network);

/// Returns the layers, counted from 1, whose outputs are the parts of an answer: the last one, or
/// the sources of a concat that ends the network (0: the frame).
std::vector<std::uint32_t> answers_of(const Network& network);

/// Returns whether the output of layer `layer`, counted from 0, is the answer or a part of it.
bool is_answer(const Network& network, std::size_t layer);

/// Returns the place of each layer's output: the index of its first number in a row of the buffers.
/// An output keeps its place until its last reader has run. A chain alternates between two places.
/// Other networks get the better of two greedy plans: in the order of the layers, and the widest
/// first (Pisarchyk, Lee 2020).
std::vector<std::uint32_t> plan_buffers(const Network& network);

/// Adds to the answer the numbers of these columns of the frame, one for each output.
void add_frame_columns(Network& network, const std::vector<std::int32_t>& columns);

/// Returns whether the answer is a sum with numbers of the frame, as add_frame_columns() makes it;
/// and a network without that sum.
bool adds_frame_columns(const Network& network);
Network without_frame_columns(Network network);

/// Returns whether in int8 the frames of a network must have 16 bits: numbers of the frame reach
/// the answer through layers that select or join alone, or a difference is taken of them.
bool needs_wide_frame(const Network& network);

/// Returns whether in int8 every layer that reads the frame can read one of 16 bits: layers that
/// select or join, and a difference.
bool reads_wide_frame(const Network& network);

/// Returns the network with a first layer that copies the frame. A layer that cannot read a frame
/// of 16 bits reads the copy in its place.
Network with_frame_copy(Network network);

/// Returns whether a network begins with such a copy.
bool copies_frame(const Network& network);

/// Returns the standardization of the frame, or of its copy, in a float network; null if it has
/// none.
const Layer* frame_standardization(const Network& network);

/// Returns the scales of the layer that standardizes the frame, or its differences, in front of a
/// float network; an empty list if it has none.
std::vector<float> frame_scales(const Network& network);

/// Inserts a layer in front of layer `at`, counted from 0, and keeps the wiring of the others; the
/// caller wires the new one.
void insert_layer(Network& network, std::size_t at, Layer layer);

/// Removes layer `at`, counted from 0; its readers read its source instead.
void remove_layer(Network& network, std::size_t at);

}  // namespace sluice::tools
