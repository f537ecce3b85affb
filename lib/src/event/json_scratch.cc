#include "event/json_scratch.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace fanfare {
namespace {

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

/// Parsers that have seen a longer text are not kept: simdjson's buffers are about 20 times as
/// long as the text, and one large body must not cost every thread that memory for ever.
constexpr std::size_t kept_text_bytes_max = std::size_t{128} * 1024;

std::unique_ptr<JsonScratch>& spare_scratch() {
    // Per thread, not per owner: a filter is const and shared by nobody, yet there can be
    // thousands.
    thread_local std::unique_ptr<JsonScratch> spare;
    return spare;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

std::unique_ptr<JsonScratch> take_scratch() {
    std::unique_ptr<JsonScratch> scratch = std::move(spare_scratch());
    return scratch ? std::move(scratch) : std::make_unique<JsonScratch>();
}

void give_back(std::unique_ptr<JsonScratch> scratch) noexcept {
    const std::size_t bytes =
        std::max({scratch->dom.capacity(), scratch->ondemand.capacity(), scratch->text.capacity()});
    if (bytes <= kept_text_bytes_max) spare_scratch() = std::move(scratch);
}

void start(JsonScratch& scratch, std::string_view padded) {
    const simdjson::padded_string_view view(padded.data(), padded.size(),
                                            padded.size() + json_padding);
    const simdjson::error_code error = scratch.ondemand.iterate(view).get(scratch.document);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
}

RawValue raw_string(const char* begin, const char* end) {
    const auto size = [begin](const char* to) { return static_cast<std::size_t>(to - begin); };
    const auto* quote =
        static_cast<const char*>(std::memchr(begin, '"', static_cast<std::size_t>(end - begin)));
    if (std::memchr(begin, '\\', size(quote)) == nullptr) {
        return {JsonValue::Kind::string, {begin, size(quote)}, false};
    }
    const char* at = begin;
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    return {JsonValue::Kind::string, {begin, size(at)}, true};
}

std::string decoded(const ondemand::parser& parser, std::string_view raw) {
    std::string text(raw.size() + json_padding, '\0');
    auto* out = reinterpret_cast<std::uint8_t*>(text.data());
    const ondemand::raw_json_string quoted(reinterpret_cast<const std::uint8_t*>(raw.data()));
    const std::string_view result = parser.unescape(quoted, out);
    text.resize(result.size());
    return text;
}

RawValue read_value(ondemand::value value, const char* end) {
    const std::string_view token = value.raw_json_token();
    switch (token.front()) {
        case '{':
        case '[':
            return {JsonValue::Kind::container, {}};
        case '"':
            return raw_string(token.data() + 1, end);
        case 'n':
            return {JsonValue::Kind::null, trimmed(token)};
        default:
            return {JsonValue::Kind::scalar, trimmed(token)};
    }
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace fanfare
