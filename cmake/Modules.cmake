# sagitta_module(FOLDER USES target…): src/FOLDER/*.cpp becomes the static library
# sagitta_<folder with _ for />. Folders open when their first file exists.
function(sagitta_module folder)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(sagitta_${name} STATIC ${sources})
  target_include_directories(sagitta_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(sagitta_${name} PUBLIC sagitta_options ${ARG_USES})
endfunction()
