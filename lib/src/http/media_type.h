#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// `text` with ASCII letters in lower case.
std::string lower_case(std::string_view text);

/// The media type in a Content-Type value: without parameters, in whatever case it came.
std::string_view media_type_of(std::string_view content_type) noexcept;

/// Whether `media_type`, from media_type_of(), stands for JSON; also `…+json`.
bool is_json_media_type(std::string_view media_type) noexcept;

}  // namespace fanfare
