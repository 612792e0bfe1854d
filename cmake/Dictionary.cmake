# The data and UID dictionaries: facts in src/dicom/tables/*.tsv, code made at build time.
set(SAGITTA_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
set(tables ${CMAKE_SOURCE_DIR}/src/dicom/tables)
set(made ${SAGITTA_GENERATED_DIR}/dicom/generated)
add_custom_command(
  OUTPUT ${made}/tags.h ${made}/uids.h ${made}/data_dictionary.inc ${made}/uid_dictionary.inc ${made}/transfer_syntaxes.inc ${made}/private_dictionary.inc
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/gen_dictionary.py --tables ${tables} --out ${made}
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/gen_dictionary.py ${tables}/data_dictionary.tsv ${tables}/uids.tsv ${tables}/transfer_syntaxes.tsv ${tables}/storage_sop_classes.tsv ${tables}/private_dictionary.tsv
  COMMENT "Generating the DICOM dictionaries")
add_custom_target(sagitta_dictionary
  DEPENDS ${made}/tags.h ${made}/uids.h ${made}/data_dictionary.inc ${made}/uid_dictionary.inc ${made}/transfer_syntaxes.inc ${made}/private_dictionary.inc)
