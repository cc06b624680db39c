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

# The program of this target runs only programs that are signed with the private key of this public one, the path of a PEM file.
function(f5lua_trust_only target pem)
  execute_process(COMMAND openssl pkey -pubin -in ${pem} -outform DER OUTPUT_FILE ${CMAKE_BINARY_DIR}/pinned.der RESULT_VARIABLE failed)
  file(READ ${CMAKE_BINARY_DIR}/pinned.der key HEX)
  # The DER of an Ed25519 public key is 12 fixed bytes and the key.
  string(LENGTH "${key}" length)
  if(failed OR NOT length EQUAL 88 OR NOT key MATCHES "^302a300506032b6570032100")
    message(FATAL_ERROR "${pem} is not the PEM of an Ed25519 public key")
  endif()
  string(SUBSTRING ${key} 24 -1 key)
  string(REGEX REPLACE "(..)" "0x\\1," key ${key})
  target_compile_definitions(${target} PRIVATE "F5LUA_PINNED_KEY=${key}")
endfunction()
