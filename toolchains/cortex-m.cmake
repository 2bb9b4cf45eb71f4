# Arm Cortex-M by arm-none-eabi-gcc, run on the boards that qemu-system-arm emulates. SLUICE_CORE
# names the core; all differences between the cores are in this file. README.md says how to add one.
set(CMAKE_SYSTEM_NAME Generic)
set(SLUICE_CORE "" CACHE STRING "The Cortex-M core: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55")
set(CMAKE_SYSTEM_PROCESSOR ${SLUICE_CORE})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SLUICE_CORE)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a whole program wants the board's linker script

set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)

# machine     its name in qemu-system-arm
# megahertz   the rate of SysTick
# vectors     where the core looks for them after reset
# code, ram   [origin, bytes]; the stack is reserved at the bottom of the RAM, so that an overflow
#             meets no data
if(SLUICE_CORE STREQUAL "cortex-m0")
  set(board_flags -mfloat-abi=soft)
  set(SLUICE_BOARD_MACHINE microbit)
  set(SLUICE_BOARD_MEGAHERTZ 16)
  set(SLUICE_BOARD_VECTORS 0x00000000)
  set(SLUICE_BOARD_CODE 0x00000040 0x0003FFC0)
  set(SLUICE_BOARD_RAM 0x20000000 0x00004000)
  set(SLUICE_BOARD_STACK 2048)
elseif(SLUICE_CORE MATCHES "^cortex-m[347]$")
  set(flags_m3 -mfloat-abi=soft)
  set(flags_m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
  set(flags_m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard)
  set(machine_m3 mps2-an385)
  set(machine_m4 mps2-an386)
  set(machine_m7 mps2-an500)
  string(REPLACE cortex-m m short ${SLUICE_CORE})
  set(board_flags ${flags_${short}})
  set(SLUICE_BOARD_MACHINE ${machine_${short}})
  set(SLUICE_BOARD_MEGAHERTZ 25)
  set(SLUICE_BOARD_VECTORS 0x00000000)
  set(SLUICE_BOARD_CODE 0x00000040 0x003FFFC0)
  set(SLUICE_BOARD_RAM 0x20000000 0x00400000)
  set(SLUICE_BOARD_STACK 8192)
elseif(SLUICE_CORE STREQUAL "cortex-m33")
  # The addresses of the secure state, in which the core starts, as for the next one.
  set(board_flags -mfpu=fpv5-sp-d16 -mfloat-abi=hard)
  set(SLUICE_BOARD_MACHINE mps2-an505)
  set(SLUICE_BOARD_MEGAHERTZ 20)
  set(SLUICE_BOARD_VECTORS 0x10000000)
  set(SLUICE_BOARD_CODE 0x10000040 0x003FFFC0)
  set(SLUICE_BOARD_RAM 0x38000000 0x00200000)
  set(SLUICE_BOARD_STACK 8192)
elseif(SLUICE_CORE STREQUAL "cortex-m55")
  set(board_flags -mfloat-abi=hard)  # the core's own default: double floats and Helium's
  set(SLUICE_BOARD_MACHINE mps3-an547)
  set(SLUICE_BOARD_MEGAHERTZ 32)
  set(SLUICE_BOARD_VECTORS 0x10000000)
  set(SLUICE_BOARD_CODE 0x11000000 0x00200000)
  set(SLUICE_BOARD_RAM 0x30000000 0x00080000)
  set(SLUICE_BOARD_STACK 8192)
else()
  message(FATAL_ERROR "SLUICE_CORE: no core is called \"${SLUICE_CORE}\"; there are cortex-m0, -m3, -m4, -m7, -m33, -m55")
endif()

list(JOIN board_flags " " board_flags)
foreach(language C CXX ASM)
  set(CMAKE_${language}_FLAGS_INIT "-mcpu=${SLUICE_CORE} -mthumb ${board_flags} -ffunction-sections -fdata-sections")
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles --specs=nano.specs -Wl,--gc-sections")

# Every instruction takes one nanosecond, so that SysTick counts instructions (board.h).
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-system-arm -M ${SLUICE_BOARD_MACHINE} -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -icount shift=0 -kernel)
