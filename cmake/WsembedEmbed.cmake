# Writes a C header with the bytes of files, an array each: NAME.EXT becomes
# `static const unsigned char NAME_EXT[]`.
#
#   cmake -DOUT=HEADER "-DFILES=FILE;FILE..." -P WsembedEmbed.cmake
set(text "")
string(REPEAT "[0-9a-f][0-9a-f]" 24 line)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  string(MAKE_C_IDENTIFIER "${name}" array)
  file(READ "${file}" bytes HEX)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "/* ${name} */\nstatic const unsigned char ${array}[] = {\n${bytes}\n};\n")
endforeach()
file(WRITE "${OUT}" "${text}")
