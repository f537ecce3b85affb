#pragma once

#include <string>

#include "config/schema.h"

namespace fanfare {

/// What a key of the table is in words, for messages and documents.

/// `a duration from 1ms to 1h`: what stands behind "expected".
std::string expected_text(const Key& key);

/// `duration`.
std::string type_text(const Key& key);

/// `1ms to 1h`; empty if there are no bounds.
std::string bounds_text(const Key& key);

/// The default as YAML; empty if there is none.
std::string default_value(const Key& key);

/// The same for people, who may be told more.
std::string default_text(const Key& key);

}  // namespace fanfare
