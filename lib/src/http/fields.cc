#include "http/fields.h"

#include <algorithm>
#include <cstring>

namespace fanfare {
namespace {

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether `text`, which is as long as `name`, is that name; mostly it is written so too.
template <std::size_t Size>
bool is(std::string_view text, const char (&name)[Size]) noexcept {
    return std::memcmp(text.data(), name, Size - 1) == 0 ||
           (to_lower(text[0]) == to_lower(name[0]) && equals_ignoring_case(text, name));
}

}  // namespace

FieldName recognise_field_name(std::string_view text) noexcept {
    switch (text.size()) {
        case 4:
            return is(text, "Host") ? FieldName::host : FieldName::other;
        case 6:
            return is(text, "Expect") ? FieldName::expect : FieldName::other;
        case 10:
            if (is(text, "Connection")) return FieldName::connection;
            if (is(text, "webhook-id")) return FieldName::webhook_id;
            return is(text, "tracestate") ? FieldName::tracestate : FieldName::other;
        case 11:
            return is(text, "traceparent") ? FieldName::traceparent : FieldName::other;
        case 12:
            return is(text, "Content-Type") ? FieldName::content_type : FieldName::other;
        case 13:
            return is(text, "Authorization") ? FieldName::authorization : FieldName::other;
        case 14:
            if (is(text, "Content-Length")) return FieldName::content_length;
            return is(text, "ce-specversion") ? FieldName::ce_specversion : FieldName::other;
        case 15:
            return is(text, "Idempotency-Key") ? FieldName::idempotency_key : FieldName::other;
        case 16:
            return is(text, "Proxy-Connection") ? FieldName::proxy_connection : FieldName::other;
        case 17:
            return is(text, "Transfer-Encoding") ? FieldName::transfer_encoding : FieldName::other;
        default:
            return FieldName::other;
    }
}

void FieldViews::clear(std::size_t kept_max) noexcept {
    fields_.clear();
    if (fields_.capacity() > kept_max) std::vector<Field>().swap(fields_);
    there_ = 0;
    repeated_ = 0;
}

std::optional<std::string_view> FieldViews::find(FieldName name) const noexcept {
    if (!has(name)) return std::nullopt;
    const auto found = std::find_if(fields_.begin(), fields_.end(), [name](const Field& field) {
        return field.known_name == name;
    });
    return found->value;
}

std::optional<std::string_view> FieldViews::find(std::string_view name) const noexcept {
    for (const Field& field : fields_) {
        if (equals_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
}

std::size_t FieldViews::count(std::string_view name) const noexcept {
    std::size_t count = 0;
    for (const Field& field : fields_) count += equals_ignoring_case(field.name, name) ? 1 : 0;
    return count;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    if (left == right) return true;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i] != right[i] && to_lower(left[i]) != to_lower(right[i])) return false;
    }
    return true;
}

}  // namespace fanfare
