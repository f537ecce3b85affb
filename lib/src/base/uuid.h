#pragma once

#include <string>

namespace fanfare {

/// A new random UUID (RFC 9562, version 4) in its usual form.
std::string make_uuid();

}  // namespace fanfare
