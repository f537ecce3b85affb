#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// The fields of a head, in order, as views into its text.
using FieldViews = std::vector<std::pair<std::string_view, std::string_view>>;

/// Whether `byte` may stand in a method or a field name (RFC 9110 5.6.2).
bool is_token_byte(unsigned char byte) noexcept;

/// Compares ASCII without case.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// The first field of that name, or nothing; names compare without case.
std::optional<std::string_view> find_field(const FieldViews& fields,
                                           std::string_view name) noexcept;
std::size_t count_fields(const FieldViews& fields, std::string_view name) noexcept;

/// Whether one of the fields `name` has `token` in its comma-separated list.
bool has_token(const FieldViews& fields, std::string_view name, std::string_view token) noexcept;

/// A Content-Length: 1 to 10 digits and nothing else.
std::optional<std::uint64_t> parse_content_length(std::string_view value) noexcept;

/// Whether `value` is a host, perhaps with a port, as the Host field bears it (RFC 9110 7.2).
bool is_valid_host(std::string_view value) noexcept;

/// How the length of a message's body is told, by its Content-Length and Transfer-Encoding.
struct BodyFraming {
    std::optional<std::uint64_t> content_length;
    bool is_chunked = false;
    bool has_unknown_coding = false;  ///< a transfer coding other than chunked
    const char* problem = nullptr;    ///< what is wrong, a constant phrase
};

/// Reads both fields as SPEC 4 wants it: strictly, for a server as for a client.
BodyFraming read_body_framing(const FieldViews& fields, int version) noexcept;

/// Whether the connection can stay open after the message, going by its Connection field.
bool wants_keep_alive(const FieldViews& fields, int version) noexcept;

}  // namespace fanfare
