# Compares a board's trace with the desk's: no line may differ.
# cmake -DEXPECTED=... -DCOMMAND="emulator;image" -P trace.cmake
execute_process(COMMAND ${COMMAND} OUTPUT_VARIABLE output ERROR_VARIABLE got RESULT_VARIABLE failed)
file(READ ${EXPECTED} expected)
string(APPEND got "${output}")
if(failed OR NOT got STREQUAL expected)
  message(FATAL_ERROR "ends with ${failed}; its lines:\n${got}\nthe desk's:\n${expected}")
endif()
