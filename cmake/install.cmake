# What cmake --install puts where, and the packages made of it (CPack; scripts/package calls it).
include(GNUInstallDirs)
set(F5LUA_PORTABLE_PROGRAM "" CACHE FILEPATH "a portable f5lua to install beside this one: f5lua build packs playbooks with it")
set(F5LUA_MODULE_DIRECTORY lib/lua/5.4 CACHE STRING "where the f5 module for lua5.4 goes")
set(F5LUA_LICENCES "" CACHE STRING "licence texts of what is linked in, NAME=FILE each")

if(NOT F5LUA_LICENCES)  # of a program linked to the system's libraries: what is in it all the same
  foreach(licence lua=liblua5.4-dev lua-cjson=lua-cjson argparse=lua-argparse)
    string(REPLACE "=" "=/usr/share/doc/" licence ${licence}/copyright)
    string(REGEX REPLACE "^[^=]+=" "" file ${licence})
    if(EXISTS ${file})
      list(APPEND F5LUA_LICENCES ${licence})
    endif()
  endforeach()
endif()

install(TARGETS f5lua)
if(TARGET f5module)
  install(TARGETS f5module DESTINATION ${F5LUA_MODULE_DIRECTORY})
endif()
if(F5LUA_PORTABLE_PROGRAM)
  install(PROGRAMS ${F5LUA_PORTABLE_PROGRAM} DESTINATION lib/f5lua RENAME f5lua-portable)
endif()
if(NOT F5LUA_LINK AND NOT F5LUA_SANITIZE)  # made by the program itself, which must run here
  set(COMPLETIONS ${CMAKE_BINARY_DIR}/completions)
  add_custom_command(OUTPUT ${COMPLETIONS}/f5lua ${COMPLETIONS}/_f5lua ${COMPLETIONS}/f5lua.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${COMPLETIONS}
    COMMAND f5lua completions bash > ${COMPLETIONS}/f5lua
    COMMAND f5lua completions zsh > ${COMPLETIONS}/_f5lua
    COMMAND f5lua completions fish > ${COMPLETIONS}/f5lua.fish
    DEPENDS f5lua VERBATIM)
  add_custom_target(completions ALL DEPENDS ${COMPLETIONS}/f5lua)
  install(FILES ${COMPLETIONS}/f5lua DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${COMPLETIONS}/_f5lua DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${COMPLETIONS}/f5lua.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
install(FILES docs/f5lua.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
configure_file(cmake/f5lua-worker.service.in f5lua-worker.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/f5lua-worker.service DESTINATION lib/systemd/system)
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY lualib/meta DESTINATION ${CMAKE_INSTALL_DATADIR}/f5lua FILES_MATCHING PATTERN *.lua)
install(DIRECTORY scripts/playbooks DESTINATION ${CMAKE_INSTALL_DATADIR}/f5lua FILES_MATCHING PATTERN *.lua PATTERN *.json)

foreach(licence ${F5LUA_LICENCES})
  string(REGEX MATCH "^([^=]+)=(.+)$" licence ${licence})
  install(FILES ${CMAKE_MATCH_2} DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences RENAME ${CMAKE_MATCH_1})
endforeach()

set(CPACK_PACKAGE_NAME f5lua)
set(CPACK_PACKAGE_VENDOR "the f5lua authors")
set(CPACK_PACKAGE_CONTACT "the f5lua authors <f5lua@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "automation of F5 BIG-IP devices in Lua")
set(CPACK_PACKAGE_VERSION ${F5LUA_VERSION})
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, libpq5")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "lua5.4, openssl")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Runs playbooks written in Lua 5.4 against F5 BIG-IP devices over iControl REST,
or against a simulated device that comes with it, and makes programs of
them that need nothing but Linux.")
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" F5LUA_SYSTEM)
set(CPACK_SYSTEM_NAME ${F5LUA_SYSTEM})
set(CPACK_ARCHIVE_FILE_EXTENSION .tar.gz)
include(CPack)
