# Precompiled headers: they take a third off the time of a build. Each set cmake/precompiled/SET.h is
# compiled once for all targets, as all of ours have the same compiler flags (options.cmake).
# Off with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON, as in the fuzz preset.

# tessera_precompile_below(FOLDER): gives every target in and below FOLDER that links tessera_options
# the set that fits what it links itself.
function(tessera_precompile_below folder)
  get_directory_property(targets DIRECTORY ${folder} BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(links ${target} LINK_LIBRARIES)
    if(type MATCHES "^(STATIC_LIBRARY|OBJECT_LIBRARY|EXECUTABLE)$" AND "tessera_options" IN_LIST links)
      _tessera_precompile(${target} "${links}")
    endif()
  endforeach()
  get_directory_property(subfolders DIRECTORY ${folder} SUBDIRECTORIES)
  foreach(subfolder IN LISTS subfolders)
    tessera_precompile_below(${subfolder})
  endforeach()
endfunction()

function(_tessera_precompile target links)
  if(links MATCHES "GTest::")
    set(set test)
  elseif(links MATCHES "nlohmann_json::|CLI11::")  # what reads a command line prints JSON too
    set(set json)
  else()
    set(set plain)
  endif()
  if(NOT TARGET tessera_headers_${set})
    set(source ${PROJECT_BINARY_DIR}/precompiled/${set}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "// Carries cmake/precompiled/${set}.h.\n")
    add_library(tessera_headers_${set} OBJECT ${source})
    target_link_libraries(tessera_headers_${set} PRIVATE tessera_options fmt::fmt
                          $<$<STREQUAL:${set},test>:GTest::gtest>)
    target_precompile_headers(tessera_headers_${set}
                              PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled/${set}.h)
  endif()
  target_precompile_headers(${target} REUSE_FROM tessera_headers_${set})
  # g++ refuses the header to a target that lacks fmt's definitions, used or not.
  target_compile_definitions(${target}
    PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
endfunction()
