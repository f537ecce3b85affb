#pragma once

#include <optional>
#include <string>

namespace fanfare {

/// What is wrong with a text, with what was expected; nothing if it is fine. `shown` stands for the
/// text in messages.
std::optional<std::string> check_listen_address(const std::string& text, const std::string& shown);
std::optional<std::string> check_request_path(const std::string& text, const std::string& shown);
std::optional<std::string> check_file(const std::string& text, const std::string& shown);
std::optional<std::string> check_dir(const std::string& text, const std::string& shown);
std::optional<std::string> check_absolute_dir(const std::string& text, const std::string& shown);
std::optional<std::string> check_endpoint_name(const std::string& text, const std::string& shown);
std::optional<std::string> check_url(const std::string& text, const std::string& shown);
std::optional<std::string> check_origin(const std::string& text, const std::string& shown);
std::optional<std::string> check_server_name(const std::string& text, const std::string& shown);
std::optional<std::string> check_nats_url(const std::string& text, const std::string& shown);
std::optional<std::string> check_stream_name(const std::string& text, const std::string& shown);
std::optional<std::string> check_any_text(const std::string& text, const std::string& shown);

/// The message never holds the value.
std::optional<std::string> check_header_name(const std::string& text, const std::string& shown);
std::optional<std::string> check_header_value(const std::string& text, const std::string& shown);

/// A JSON pointer, or the name of an attribute.
std::optional<std::string> check_field(const std::string& text, const std::string& shown);
std::optional<std::string> check_pointer(const std::string& text, const std::string& shown);
std::optional<std::string> check_glob(const std::string& text, const std::string& shown);

}  // namespace fanfare
