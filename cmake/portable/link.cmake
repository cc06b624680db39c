# F5LUA_LINK and F5LUA_PUBLIC_KEY: what differs between the program built for this machine and the ones that are carried elsewhere.
if(NOT F5LUA_LINK MATCHES "^(|libraries|everything)$")
  message(FATAL_ERROR "F5LUA_LINK is empty, libraries or everything, not ${F5LUA_LINK}")
endif()
if(F5LUA_LINK)
  # What is carried elsewhere is hardened like a distribution's package, and needs no symbols.
  add_compile_options(-fstack-clash-protection)
  add_link_options(-s)
endif()
if(F5LUA_LINK STREQUAL "libraries")
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-pie)
elseif(F5LUA_LINK STREQUAL "everything")
  # Before libc.a, so that its malloc is never taken.
  add_link_options(${F5LUA_PREFIX}/lib/mimalloc.o)
  add_compile_options(-fno-asynchronous-unwind-tables -fno-unwind-tables)
endif()

if(F5LUA_PUBLIC_KEY)
  execute_process(COMMAND openssl pkey -pubin -in ${F5LUA_PUBLIC_KEY} -outform DER OUTPUT_FILE ${CMAKE_BINARY_DIR}/pinned.der
    RESULT_VARIABLE failed)
  # The DER of an Ed25519 public key is 12 fixed bytes and the key.
  file(READ ${CMAKE_BINARY_DIR}/pinned.der pinned HEX)
  if(failed OR NOT pinned MATCHES "^302a300506032b6570032100([0-9a-f]+)$")
    message(FATAL_ERROR "F5LUA_PUBLIC_KEY: ${F5LUA_PUBLIC_KEY} is not the PEM of an Ed25519 public key")
  endif()
  string(REGEX REPLACE "^302a300506032b6570032100" "" pinned "${pinned}")
  string(REGEX REPLACE "(..)" "0x\\1," pinned "${pinned}")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/host/bundle.c PROPERTIES COMPILE_DEFINITIONS "F5LUA_PINNED_KEY=${pinned}")
endif()
