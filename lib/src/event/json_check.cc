#include "event/json_check.h"

#include <algorithm>
#include <vector>

#include "base/digits.h"

namespace fanfare {
namespace {

/// The second byte of a UTF-8 sequence lies in this range: it is what keeps out overlong forms,
/// surrogates and everything above U+10FFFF (Unicode, table 3-7).
struct Sequence {
    std::size_t size = 0;  ///< 0: no sequence begins with this byte
    unsigned char second_min = 0x80;
    unsigned char second_max = 0xbf;
};

Sequence sequence_of(unsigned char lead) {
    if (lead >= 0xc2 && lead <= 0xdf) return {2};
    if (lead == 0xe0) return {3, 0xa0};
    if (lead == 0xed) return {3, 0x80, 0x9f};
    if (lead >= 0xe1 && lead <= 0xef) return {3};
    if (lead == 0xf0) return {4, 0x90};
    if (lead >= 0xf1 && lead <= 0xf3) return {4};
    if (lead == 0xf4) return {4, 0x80, 0x8f};
    return {};
}

class Checker {
  public:
    Checker(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

    std::optional<JsonProblem> run() {
        if (check_document()) return std::nullopt;
        problem_.index = index();
        return problem_;
    }

  private:
    struct Level {
        bool is_object = false;
        std::size_t commas = 0;
    };

    /// A loop, not a recursion: the depth of the input must not become the depth of our stack.
    bool check_document() {
        if (text_.starts_with("\xef\xbb\xbf")) return fail(0, "a byte order mark is not allowed");
        do {
            if (!check_value()) return false;
        } while (has_opened_ || has_more());
        if (has_failed_) return false;
        skip_space();
        return at_ == text_.size() || fail(at_, "unexpected text after the end of the JSON value");
    }

    /// A scalar, an empty container, or the opening of one that is not: has_opened_ tells.
    bool check_value() {
        skip_space();
        has_opened_ = false;
        switch (peek()) {
            case '{':
            case '[':
                return open();
            case '"':
                return check_string();
            case 't':
                return check_word("true");
            case 'f':
                return check_word("false");
            case 'n':
                return check_word("null");
            default:
                break;
        }
        if (peek() == '-' || is_digit(peek())) return check_number();
        if (at_ < text_.size()) return fail(at_, "a JSON value was expected");
        return levels_.empty() ? fail(at_, "there is no JSON value") : fail_at_end();
    }

    bool open() {
        if (levels_.size() == depth_max_) return fail(at_, "containers are nested too deeply");
        const bool is_object = text_[at_++] == '{';
        levels_.push_back({is_object});
        skip_space();
        if (peek() == (is_object ? '}' : ']')) {
            ++at_;
            levels_.pop_back();
            return true;
        }
        has_opened_ = true;
        return !is_object || check_key();
    }

    /// After a value: closes what ends here. Whether another value must follow.
    bool has_more() {
        while (!levels_.empty()) {
            skip_space();
            if (at_ == text_.size()) return fail_at_end();
            Level& level = levels_.back();
            if (text_[at_] == ',') {
                ++at_;
                ++level.commas;
                return !level.is_object || check_key();
            }
            if (text_[at_] != (level.is_object ? '}' : ']')) {
                return fail(
                    at_, level.is_object ? "`,` or `}` was expected" : "`,` or `]` was expected");
            }
            ++at_;
            levels_.pop_back();
        }
        return false;
    }

    bool check_key() {
        skip_space();
        if (at_ == text_.size()) return fail_at_end();
        if (text_[at_] != '"') return fail(at_, "a key in double quotes was expected");
        const std::size_t begin = at_;
        if (!check_string()) return false;
        if (levels_.size() == 1) {
            is_in_events_ = text_.substr(begin, at_ - begin) == "\"events\"";
        }
        skip_space();
        if (at_ == text_.size()) return fail_at_end();
        if (text_[at_] != ':') return fail(at_, "`:` was expected after the key");
        ++at_;
        return true;
    }

    bool check_string() {
        ++at_;
        while (at_ < text_.size()) {
            const auto byte = static_cast<unsigned char>(text_[at_]);
            if (byte == '"') {
                ++at_;
                return true;
            }
            if (byte < 0x20) return fail(at_, "a control character must be escaped in a string");
            if (byte == '\\') {
                if (!check_escape()) return false;
            } else if (byte < 0x80) {
                ++at_;
            } else if (!check_sequence(byte)) {
                return false;
            }
        }
        return fail_at_end();
    }

    bool check_sequence(unsigned char lead) {
        const Sequence sequence = sequence_of(lead);
        const std::string_view rest =
            text_.substr(at_ + 1, std::max(sequence.size, std::size_t{1}) - 1);
        bool is_good = sequence.size != 0 && rest.size() == sequence.size - 1;
        for (std::size_t i = 0; is_good && i < rest.size(); ++i) {
            const auto byte = static_cast<unsigned char>(rest[i]);
            is_good = i == 0 ? byte >= sequence.second_min && byte <= sequence.second_max
                             : byte >= 0x80 && byte <= 0xbf;
        }
        if (!is_good) return fail(at_, "the text is not valid UTF-8");
        at_ += sequence.size;
        return true;
    }

    bool check_escape() {
        const std::size_t begin = at_++;
        if (at_ == text_.size()) return fail_at_end();
        const char c = text_[at_++];
        if (c != 'u') {
            static constexpr std::string_view known = "\"\\/bfnrt";
            if (known.find(c) != std::string_view::npos) return true;
            return fail(begin, "there is no such escape in JSON");
        }
        const std::optional<unsigned> first = read_unit();
        if (!first) return fail(begin, "`\\u` needs four hexadecimal digits");
        if (*first < 0xd800 || *first > 0xdfff) return true;
        // Half of a pair means nothing by itself: receivers would differ in what they make of it.
        if (*first <= 0xdbff && text_.substr(at_, 2) == "\\u") {
            at_ += 2;
            const std::optional<unsigned> second = read_unit();
            if (second && *second >= 0xdc00 && *second <= 0xdfff) return true;
        }
        return fail(begin, "a surrogate escape stands alone");
    }

    std::optional<unsigned> read_unit() {
        if (text_.size() - at_ < 4) return std::nullopt;
        unsigned unit = 0;
        for (int i = 0; i < 4; ++i) {
            const int digit = hex_value(text_[at_++]);
            if (digit < 0) return std::nullopt;
            unit = unit * 16 + static_cast<unsigned>(digit);
        }
        return unit;
    }

    bool check_number() {
        if (peek() == '-') ++at_;
        if (peek() == '0') {
            ++at_;
        } else if (!skip_digits()) {
            return fail(at_, "a digit was expected");
        }
        if (peek() == '.') {
            ++at_;
            if (!skip_digits()) return fail(at_, "a digit was expected");
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            if (!skip_digits()) return fail(at_, "a digit was expected");
        }
        return true;
    }

    /// Whether there was at least one.
    bool skip_digits() {
        const std::size_t begin = at_;
        while (is_digit(peek())) ++at_;
        return at_ != begin;
    }

    bool check_word(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) {
            return fail(at_, "a JSON value was expected");
        }
        at_ += word.size();
        return true;
    }

    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' ||
                                      text_[at_] == '\r' || text_[at_] == '\t')) {
            ++at_;
        }
    }

    /// The next byte; NUL, which no caller looks for, at the end.
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool fail_at_end() { return fail(text_.size(), "the text ends too early"); }

    bool fail(std::size_t offset, const char* message) {
        problem_ = {offset, message, std::nullopt, true};
        has_failed_ = true;
        return false;
    }

    std::optional<std::size_t> index() const {
        if (levels_.empty()) return std::nullopt;
        if (!levels_[0].is_object) return levels_[0].commas;
        const bool is_in_list = is_in_events_ && levels_.size() > 1 && !levels_[1].is_object;
        return is_in_list ? std::optional(levels_[1].commas) : std::nullopt;
    }

    const std::string_view text_;
    const std::size_t depth_max_;
    std::size_t at_ = 0;
    std::vector<Level> levels_;
    bool has_opened_ = false;
    bool is_in_events_ = false;
    bool has_failed_ = false;
    JsonProblem problem_;
};

}  // namespace

std::optional<JsonProblem> check_json(std::string_view text, std::size_t depth_max) {
    return Checker(text, depth_max).run();
}

}  // namespace fanfare
