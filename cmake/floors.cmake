# The floors of the C code: one library and one include directory each, so that an include from a higher floor does not compile.
#
# Files are included by their path below runtime ("net/http.h"). The include directory of a floor holds one link, to the
# folder of that floor, and only the floors that use it (directly or not) have it in their include path.

# The target may include the headers of the floor, without being linked to it.
function(use_floor target floor)
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/include/${floor})
endfunction()

# add_floor(NAME [OBJECT] [USES floor...] [LIBRARIES library...] [EXCEPT file...])
function(add_floor name)
  cmake_parse_arguments(floor "OBJECT" "" "USES;LIBRARIES;EXCEPT" ${ARGN})
  set(include ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/runtime/${name} ${include}/${name} SYMBOLIC)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/runtime/${name}/*.c)
  foreach(file ${floor_EXCEPT})
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/runtime/${name}/${file})
  endforeach()
  if(floor_OBJECT)
    add_library(${name} OBJECT ${sources})
  else()
    add_library(${name} STATIC ${sources})
    set_target_properties(${name} PROPERTIES OUTPUT_NAME f5lua_${name})
  endif()
  target_include_directories(${name} PUBLIC ${include})
  target_link_libraries(${name} PUBLIC ${floor_USES} ${floor_LIBRARIES})
endfunction()
