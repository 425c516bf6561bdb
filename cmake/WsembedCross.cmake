# What a cross build needs beside CMake's own means. Sets
#   wsembed_cc         a C compiler that is one word, for cargo and for scripts
#   wsembed_emulator   the command that runs the machine's programs, as a list;
#                      empty where they run as they are
#   wsembed_run_dir    where scripts find the programs of the build, to run them

# wsembed_script(FILE WORD...): a shell script that calls WORD... with its own
# arguments. Written only if it differs, so that nothing is built anew.
function(wsembed_script file)
  set(text "#!/bin/sh\nexec")
  foreach(word IN LISTS ARGN)
    string(REPLACE "'" "'\\''" word "${word}")
    string(APPEND text " '${word}'")
  endforeach()
  string(APPEND text " \"$@\"\n")
  set(old)
  if(EXISTS "${file}")
    file(READ "${file}" old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE "${file}" "${text}")
    execute_process(COMMAND chmod +x "${file}")
  endif()
endfunction()

# Root, machine options and target decide which libraries a program is linked
# with. CMake adds them to its own calls of the compiler, nobody to the others.
set(wsembed_cc "${CMAKE_C_COMPILER}")
if(CMAKE_CROSSCOMPILING)
  separate_arguments(wsembed_cc_options UNIX_COMMAND "${CMAKE_C_COMPILER_ARG1} ${CMAKE_C_FLAGS}")
  if(CMAKE_C_COMPILER_TARGET AND CMAKE_C_COMPILER_ID MATCHES "Clang")
    list(APPEND wsembed_cc_options "--target=${CMAKE_C_COMPILER_TARGET}")
  endif()
  if(CMAKE_SYSROOT)
    list(APPEND wsembed_cc_options "--sysroot=${CMAKE_SYSROOT}")
  endif()
  if(wsembed_cc_options)
    set(wsembed_cc "${CMAKE_CURRENT_BINARY_DIR}/cc")
    wsembed_script("${wsembed_cc}" "${CMAKE_C_COMPILER}" ${wsembed_cc_options})
  endif()
endif()

# A script cannot run another machine's program by its name. It finds scripts
# under the same names, and beside them what else it looks for in a build.
set(wsembed_emulator)
set(wsembed_run_dir "${CMAKE_CURRENT_BINARY_DIR}")
if(CMAKE_CROSSCOMPILING AND CMAKE_CROSSCOMPILING_EMULATOR)
  set(wsembed_emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
  set(wsembed_run_dir "${CMAKE_CURRENT_BINARY_DIR}/emulated")
  file(MAKE_DIRECTORY "${wsembed_run_dir}")
  foreach(folder lib package headers)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E create_symlink "../${folder}" "${wsembed_run_dir}/${folder}")
  endforeach()
endif()

# wsembed_run_script(NAME FOLDER): for a program that scripts run.
function(wsembed_run_script name folder)
  if(wsembed_emulator)
    file(RELATIVE_PATH place "${PROJECT_BINARY_DIR}" "${folder}/${name}")
    wsembed_script("${wsembed_run_dir}/${place}" ${wsembed_emulator} "${folder}/${name}")
  endif()
endfunction()
