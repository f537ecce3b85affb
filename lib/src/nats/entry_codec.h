#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fleet/shared_log.h"
#include "nats/connection.h"

namespace fanfare {

/// `text` with what is not printable ASCII, and `%`, percent-encoded, so that it can be a header's
/// value.
std::string header_value(std::string_view text);
/// The way back. What is no escape stays as it is.
std::string text_of_header(std::string_view value);

/// How times are written.
std::int64_t microseconds_since_epoch(WallTime time);

/// All of an entry but its payload, which is the event's; its event must be there.
NatsHeaders headers_of(const LogEntry& entry);

/// The way back; without an event if it is damaged.
LogEntry entry_of(const NatsMessage& message);
LogEntry entry_of(const NatsHeaders& headers, std::string_view payload);

}  // namespace fanfare
