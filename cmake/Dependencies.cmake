# Everything from Debian 12 (./dev setup installs it); nothing is fetched at build time.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(OPENJPEG REQUIRED IMPORTED_TARGET libopenjp2)
pkg_check_modules(CHARLS REQUIRED IMPORTED_TARGET charls)

# Debian's openjph.pc names neither the library nor its folder.
find_library(OPENJPH_LIBRARY openjph REQUIRED)
find_path(OPENJPH_INCLUDE_DIR openjph/ojph_codestream.h REQUIRED)
add_library(openjph::openjph UNKNOWN IMPORTED)
set_target_properties(openjph::openjph PROPERTIES
  IMPORTED_LOCATION ${OPENJPH_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${OPENJPH_INCLUDE_DIR})

pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)

add_library(asio::asio INTERFACE IMPORTED)
target_link_libraries(asio::asio INTERFACE Threads::Threads)
