// Keys of fixed point and of the device. key.h describes a key.
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "quantize.aware",
     .field = &R::quantize_aware,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train for fixed point: in every pass inputs, states and weights are rounded as on "
             "the device, and validation runs the fixed-point model. model.slu is that model; "
             "model-f32.slu has the float weights it was made of. A GRU with reset = \"before\", "
             "cells of low rank and batch normalization cannot be trained so.",
     .source = "straight-through gradients; Bengio, Leonard, Courville 2013"},
    {.name = "quantize.type",
     .field = choice_field<&R::quantize_type>,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "Number format to train for: int8 has 8-bit weights and values; w8a16 has 8-bit "
             "weights and 16-bit values.",
     .words = only(SLUICE_INT8, SLUICE_W8A16)},
    {.name = "quantize.ranges",
     .field = choice_field<&R::quantize_ranges>,
     .fallback = "\"min-error\"",
     .noun = "a choice of ranges",
     .help = "How training for fixed point chooses the range of each feature. min-max: all values; "
             "percentile: without the 0.05 % at either end; min-error: the range with the least "
             "squared error."},
    {.name = "device.core",
     .field = &R::device_core,
     .fallback = "\"\"",
     .noun = "a core",
     .help = "Core that will run the model, such as cortex-m4. With the limits below, a model that "
             "cannot fit is refused before training. Empty for none.",
     .never_changes_result = true},
    {.name = "device.type",
     .field = choice_field<&R::device_type>,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "Number format of the model on the device; with quantize.aware this is quantize.type.",
     .never_changes_result = true},
    {.name = "device.flash",
     .field = &R::device_flash,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "Limit of the model's bytes without names, labels and history, such as \"16 KiB\". "
             "Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.ram",
     .field = &R::device_ram,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "Limit of the bytes of state and scratch of one stream that is stepped frame by "
             "frame. Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.instructions",
     .field = &R::device_instructions,
     .fallback = "0",
     .noun = "a number of instructions",
     .help = "Limit of the instructions of a step; 0 for no limit.",
     .min = 0,
     .max = whole_limit,
     .never_changes_result = true},
    {.name = "device.flash_total",
     .field = &R::device_flash_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "Limit of the model's bytes as in device.flash, plus the runtime's code and tables. "
             "Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.ram_total",
     .field = &R::device_ram_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "Limit of the bytes as in device.ram, plus the stack. Empty for no limit.",
     .never_changes_result = true},
};

}  // namespace

std::span<const Key> device_keys() { return table; }

}  // namespace sluice::tools
