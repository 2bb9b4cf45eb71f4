# Header-only libraries (xsimd, doctest, CLI11, toml++, nlohmann-json, fmt) come from the host's
# /usr/include by their headers alone; libraries with code come from the cross compiler's own
# folders or not at all. Programs link statically, so that they run anywhere.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(SLUICE_CROSS ON)
