#include "event/json_scratch.h"

#include <algorithm>
#include <bit>
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

void make_room(simdjson::dom::parser& parser, std::size_t bytes) {
    if (parser.capacity() >= bytes) return;
    const std::size_t capacity = std::bit_ceil(std::max(bytes, std::size_t{1024}));
    if (parser.allocate(capacity, json_depth_max) != simdjson::SUCCESS) throw std::bad_alloc();
}

}  // namespace

JsonLoan::JsonLoan() : scratch_(std::move(spare_scratch())) {
    if (!scratch_) scratch_ = std::make_unique<JsonScratch>();
}

JsonLoan::~JsonLoan() {
    const std::size_t bytes = std::max(scratch_->parser.capacity(), scratch_->text.capacity());
    if (bytes <= kept_text_bytes_max) spare_scratch() = std::move(scratch_);
}

std::optional<JsonProblem> parse(JsonScratch& scratch, std::string_view padded) {
    make_room(scratch.parser, padded.size());
    const auto parsed = scratch.parser.parse(padded.data(), padded.size(), false);
    if (parsed.error() == simdjson::SUCCESS) return std::nullopt;
    // simdjson refuses numbers that fit no C++ type and tells no place, so its no is not final.
    return check_json(padded, json_depth_max);
}

/// The first of simdjson's two stages has left them in its parser. The second, which judges, has
/// no use for them afterwards, nor has it changed them where it refused a number.
JsonTokens tokens_of(const JsonScratch& scratch, std::string_view padded) {
    return {padded, scratch.parser.implementation->structural_indexes.get()};
}

std::string JsonScratch::decoded(std::string_view raw) const {
    std::string result(raw.size() + json_padding, '\0');
    auto* const out = reinterpret_cast<std::uint8_t*>(result.data());
    const auto* const in = reinterpret_cast<const std::uint8_t*>(raw.data());
    const std::uint8_t* const end = parser.implementation->parse_string(in, out);
    result.resize(static_cast<std::size_t>(end - out));
    return result;
}

}  // namespace fanfare
