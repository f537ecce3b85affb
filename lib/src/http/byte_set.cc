#include "http/byte_set.h"

namespace fanfare {
namespace {

constexpr ByteSet make_visible_bytes() {
    ByteSet set{};
    for (std::size_t byte = 0x21; byte < set.size(); ++byte) set[byte] = byte != 0x7f;
    return set;
}

constexpr ByteSet letters_and_digits =
    with({}, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

}  // namespace

constexpr ByteSet token_bytes = with(letters_and_digits, "!#$%&'*+-.^_`|~");
constexpr ByteSet visible_bytes = make_visible_bytes();
constexpr ByteSet text_bytes = with(visible_bytes, " \t");
constexpr ByteSet name_bytes = with(letters_and_digits, "-._~!$&'()*+,;=");

}  // namespace fanfare
