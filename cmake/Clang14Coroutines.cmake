# clang 14 understands C++20 coroutines but does not announce them, so libstdc++ 12 and Asio hide
# theirs. These three say what is true.
target_compile_definitions(sagitta_options INTERFACE
  __cpp_impl_coroutine=201902L ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
target_compile_options(sagitta_options INTERFACE -Wno-builtin-macro-redefined -Wno-reserved-macro-identifier)
