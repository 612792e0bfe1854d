# The tables of PS3.15 Annex E: facts in src/deid/tables/*.tsv, code made at build time.
set(deid_tables ${CMAKE_SOURCE_DIR}/src/deid/tables)
set(deid_made ${SAGITTA_GENERATED_DIR}/deid/generated)
file(GLOB deid_facts CONFIGURE_DEPENDS ${deid_tables}/*.tsv)
add_custom_command(
  OUTPUT ${deid_made}/tables.inc
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/gen_deid_tables.py --tables ${deid_tables} --out ${deid_made}
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/gen_deid_tables.py ${deid_facts}
  COMMENT "Generating the de-identification tables")
add_custom_target(sagitta_deid_tables DEPENDS ${deid_made}/tables.inc)
