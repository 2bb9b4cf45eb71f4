// The sections of a blob that hold text.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

/// The strings of a section, each ended by a NUL in the blob; empty where there is none.
std::vector<std::string> section_strings(const sluice_model& model, sluice_section_kind kind);

/// A section as one text; empty where there is none.
std::string section_text(const sluice_model& model, sluice_section_kind kind);

/// The name of a kind of section, for people: "input names"; "kind 77" of one that this version
/// does not know.
std::string section_name(std::uint32_t kind);

}  // namespace sluice::tools
