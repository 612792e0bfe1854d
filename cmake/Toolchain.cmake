# Warnings, sanitizers, ccache and a fast linker where they are there.
add_library(sagitta_options INTERFACE)
target_compile_options(sagitta_options INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 inlines the operator new of Asio's coroutine frames and then misses it beside their
  # operator delete: a false alarm.
  target_compile_options(sagitta_options INTERFACE -Wno-mismatched-new-delete)
  # ThreadSanitizer does not see Asio's fences; the locks around them it does see.
  if(SAGITTA_SANITIZE MATCHES "thread")
    target_compile_options(sagitta_options INTERFACE -Wno-tsan)
  endif()
endif()
# ASIO_DISABLE_STD_ALIGNED_ALLOC: Asio 1.22 chooses its allocator by what was included before it, so that
# two files can disagree and one frees what the other allocated in another way.
target_compile_definitions(sagitta_options INTERFACE
  ASIO_DISABLE_STD_ALIGNED_ALLOC ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED
  SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
  include(Clang14Coroutines)
endif()

if(SAGITTA_SANITIZE)
  add_compile_options(-fsanitize=${SAGITTA_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SAGITTA_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # g++ loses track of moved variants between its own checks
  endif()
  if(SAGITTA_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options(-fno-sanitize=function)  # clang 14 cannot put its marks into coroutines
    endif()
  endif()
endif()

find_program(SAGITTA_CCACHE ccache)
if(SAGITTA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SAGITTA_CCACHE})
endif()

find_program(SAGITTA_MOLD mold)
find_program(SAGITTA_LLD ld.lld)
if(SAGITTA_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(SAGITTA_LLD)
  add_link_options(-fuse-ld=lld)
endif()
