# cmake -DDIR=<this folder> -DOUTPUT=<file>.cc -P embed.cmake: the page's sources as a C++ file.
# The scripts are put together in the order of their names here.
set(SCRIPTS text.js api.js charts.js drawer.js endpoints.js stream.js events.js letters.js main.js)

function(array_of name)
    set(bytes "")
    foreach(file ${ARGN})
        file(READ ${DIR}/${file} hex HEX)
        string(REGEX REPLACE "(..)" "0x\\1," hex "${hex}")
        string(APPEND bytes "${hex}\n")
    endforeach()
    file(APPEND ${OUTPUT} "constexpr unsigned char ${name}[] = {\n${bytes}};\n\n")
endfunction()

file(WRITE ${OUTPUT} "// Made by embed.cmake.
#include \"server/admin/status_page_parts.h\"

namespace fanfare {
namespace {

")
array_of(html status.html)
array_of(style status.css)
array_of(script ${SCRIPTS})
file(APPEND ${OUTPUT} "template <std::size_t size>
std::string_view text_of(const unsigned char (&bytes)[size]) {
    return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

StatusPageParts status_page_parts() noexcept {
    return {text_of(html), text_of(style), text_of(script)};
}

}  // namespace fanfare
")
