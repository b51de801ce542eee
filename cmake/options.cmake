# Compiler settings shared by every target of ours.
add_library(tessera_options INTERFACE)
target_compile_options(tessera_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely inside std::expected, std::regex and std::string.
  target_compile_options(tessera_options INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow
                         -Wno-restrict -Wno-array-bounds)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 calls functions of its own that it calls deprecated; only clang tells.
  target_compile_options(tessera_options INTERFACE -Wno-deprecated-declarations)
endif()
if(TESSERA_FUZZ)
  # Counts edges for libFuzzer; the fuzz targets themselves bring its main().
  target_compile_options(tessera_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tessera_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TESSERA_SANITIZE)
  target_compile_options(tessera_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tessera_options INTERFACE -fsanitize=address,undefined)
endif()
