#include "commands/line_reader.h"

namespace fanfare::command {

LineReader::State LineReader::feed(std::string_view bytes,
                                   const std::function<bool(std::string_view)>& take) {
    for (;;) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (begun_.size() + piece.size() > line_bytes_max_) return State::too_long;
        if (end == std::string_view::npos) {
            begun_ += piece;
            return State::more;
        }
        bool is_more = false;
        if (begun_.empty()) {
            is_more = take(piece);
        } else {
            begun_ += piece;
            is_more = take(begun_);
            begun_.clear();
        }
        if (!is_more) return State::enough;
        bytes.remove_prefix(end + 1);
    }
}

}  // namespace fanfare::command
