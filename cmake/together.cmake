# Sources of one folder and one target are compiled together, eight to a compiler run: it takes more
# than half off the time of a build, as most of a file's time goes into what it includes. So a name in
# an anonymous namespace stands once in a folder; the files in `alone` below break that and are
# compiled by themselves. Off in the fuzz and lint presets, which notice a header that is missing.
option(TESSERA_TOGETHER "compile the sources of a folder together" ON)

set(tessera_alone
    lab/identity/card_test.cpp lab/identity/server_test.cpp lab/identity/session_test.cpp
    lab/identity/wire_test.cpp src/app/generate/markdown.cpp src/app/printers/slices.cpp
    src/app/printers/topology_svg.cpp src/app/verbs/recover.cpp src/apply/journal_test.cpp
    src/apply/lock_test.cpp src/kernel/pci_names_test.cpp src/kernel/write_child.cpp
    src/lab/supervisor_test.cpp src/model/json_plan.cpp src/model/json_test.cpp
    src/model/mdev_definition_test.cpp src/plan/checks/mediated.cpp src/plan/checks/support.cpp
    src/plan/checks/virtualization.cpp src/plan/doctor_test.cpp src/plan/isolation_test.cpp
    src/plan/slices/explain/explain.cpp src/plan/slices/explain/explain_vgpu.cpp src/plan/slices/standing.cpp
    src/plan/slices/unslice.cpp src/plan/slices/virtual_functions.cpp src/probe/iommu.cpp
    src/probe/record_test.cpp src/probe/slices/xe.cpp src/vendor/nvidia_topology.cpp
    src/vendor/nvidia_topology_test.cpp src/vendor/nvml_test.cpp tests/fakehost/fakehost_test.cpp
    tests/fakehost/filesystem.cpp tests/fakehost/nvidia_tools.cpp tests/fakehost/vendor_vfio.cpp
    tests/fakehost/xe.cpp)

# tessera_compile_together_below(FOLDER): for every target in and below FOLDER that links tessera_options.
function(tessera_compile_together_below folder)
  get_directory_property(targets DIRECTORY ${folder} BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(links ${target} LINK_LIBRARIES)
    if(TESSERA_TOGETHER AND type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$" AND "tessera_options" IN_LIST links)
      _tessera_together(${target})
    endif()
  endforeach()
  get_directory_property(subfolders DIRECTORY ${folder} SUBDIRECTORIES)
  foreach(subfolder IN LISTS subfolders)
    tessera_compile_together_below(${subfolder})
  endforeach()
endfunction()

function(_tessera_together target)
  get_target_property(sources ${target} SOURCES)
  get_target_property(home ${target} SOURCE_DIR)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  foreach(source IN LISTS sources)
    get_filename_component(path ${source} ABSOLUTE BASE_DIR ${home})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${path})
    if(path IN_LIST tessera_alone)
      continue()
    endif()
    get_filename_component(room ${path} DIRECTORY)
    string(MAKE_C_IDENTIFIER ${room} room)
    if(NOT DEFINED count_${room})
      set(count_${room} 0)
    endif()
    math(EXPR bunch "${count_${room}} / 8")
    math(EXPR count_${room} "${count_${room}} + 1")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${room}_${bunch})
  endforeach()
endfunction()
