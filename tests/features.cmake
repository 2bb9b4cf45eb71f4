# The CPU is asked for every extension that the flags of kernels/isa turn on. The compiler says
# which these are: the macros that its flags define beyond the baseline's. kernels/cpu.h must list
# each.
#   cmake -DCXX=... -DBASE="flags of every file" -DHEADER=kernels/cpu.h
#         -DISAS="avx2=-mavx2 -mfma;..." -P features.cmake
file(READ ${HEADER} header)
file(WRITE ${WORK}/empty.cpp "")
separate_arguments(base UNIX_COMMAND "${BASE}")

# The macros of some flags, without values.
function(macros_of out)
  execute_process(COMMAND ${CXX} ${base} ${ARGN} -dM -E ${WORK}/empty.cpp OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${CXX} does not say its macros with ${ARGN}")
  endif()
  string(REGEX MATCHALL "#define [A-Za-z0-9_]+ 1\n" lines "${text}")
  list(TRANSFORM lines REPLACE "#define ([A-Za-z0-9_]+) 1\n" "\\1")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

macros_of(baseline)
foreach(isa IN LISTS ISAS)
  string(REGEX MATCH "^([a-z0-9_]+)=(.*)$" parts "${isa}")
  set(name ${CMAKE_MATCH_1})
  separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_2}")
  list(FILTER flags INCLUDE REGEX "^-m")
  macros_of(macros ${flags})
  list(REMOVE_ITEM macros ${baseline})
  # Macros that follow from others and are no extension of the CPU: the width of code, the
  # arithmetic that the compiler may use.
  list(FILTER macros EXCLUDE REGEX "^__(FP_FAST|EVEX|AVX10_.*_256|GCC_|SSE.*_MATH__|ARM_FEATURE_FMA)")
  set(missing "")
  foreach(macro IN LISTS macros)
    string(REGEX REPLACE "^__(ARM_FEATURE_)?(.*[^_])_*$" "\\2" feature "${macro}")
    if(NOT header MATCHES "X\\(${feature}\\)")
      list(APPEND missing ${macro})
    endif()
  endforeach()
  if(missing)
    message(FATAL_ERROR "kernels/isa/${name}.cpp may use what no CPU is asked for: ${missing}; list it in kernels/cpu.h")
  endif()
  list(LENGTH macros count)
  if(flags AND count EQUAL 0)
    message(FATAL_ERROR "${flags} turn on nothing that the compiler tells")
  endif()
  message("${name}: asks for ${macros}")
endforeach()
