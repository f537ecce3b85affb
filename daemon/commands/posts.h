#pragma once

#include <string>

#include "fanfare/error.h"

namespace fanfare::command {

/// Events as they are posted, in one request.
struct Post {
    std::string content_type;
    std::string body;
};

/// What a registry sends when a tag is pushed, with an id and a time of its own.
Post sample_post();

/// The content of a file, or of standard input for `-`; without a content type, that is guessed
/// from the file's name and content.
Result<Post> read_post(const std::string& file, const std::string& content_type);

}  // namespace fanfare::command
