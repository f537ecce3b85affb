#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"

namespace fanfare {

/// Whether `text` is a token, as the name of a field is (RFC 9110 5.6.2).
bool is_token(std::string_view text) noexcept;

/// What is wrong with a version, 11 for 1.1, a constant phrase; null if nothing is.
const char* check_version(int version) noexcept;

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

/// What the Connection fields of a head ask for.
struct ConnectionWish {
    bool wants_close = false;
    bool wants_keep_alive = false;
    const char* problem = nullptr;  ///< what is wrong, a constant phrase

    /// Whether the connection can stay open after the message.
    bool can_stay_open(int version) const noexcept {
        return !wants_close && (version >= 11 || wants_keep_alive);
    }
};

/// Connection is a list of tokens, and so is its forerunner Proxy-Connection, which asks for
/// nothing.
ConnectionWish read_connection(const FieldViews& fields) noexcept;

}  // namespace fanfare
