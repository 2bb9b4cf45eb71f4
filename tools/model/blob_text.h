// Reads the sections of a blob that hold text.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

/// Returns the strings of a section, each ended by a NUL in the blob; empty if there is no such
/// section.
std::vector<std::string> section_strings(const sluice_model& model, sluice_section_kind kind);

/// Returns a section as one text; empty if there is none.
std::string section_text(const sluice_model& model, sluice_section_kind kind);

/// Returns the name of a kind of section: "input names"; "kind 77" for one that this version does
/// not know.
std::string section_name(std::uint32_t kind);

}  // namespace sluice::tools
