# How our own C programs are compiled: strict C99, all warnings.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# wsembed_program(NAME SOURCE FOLDER [LIBRARY])
function(wsembed_program name source folder)
  set(library wsembed::shared)
  if(ARGN)
    set(library ${ARGN})
  endif()
  add_executable(${name} "${source}")
  target_link_libraries(${name} PRIVATE ${library} Threads::Threads)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic)
  if(WSEMBED_WARNINGS_AS_ERRORS)
    target_compile_options(${name} PRIVATE -Werror)
  endif()
  set_target_properties(${name} PROPERTIES
    C_STANDARD 99
    C_STANDARD_REQUIRED ON
    C_EXTENSIONS OFF
    # Our headers are under test as well: no -isystem, which hides warnings.
    NO_SYSTEM_FROM_IMPORTED ON
    RUNTIME_OUTPUT_DIRECTORY "${folder}")
  wsembed_run_script(${name} "${folder}")
endfunction()
