#pragma once

#include <string>

#include "fanfare/history.h"

namespace fanfare {

/// Appends `"seq":42,"received":"…","source":"http","event":{…}`: what stands between the braces of
/// a record, in one line.
void append_record(std::string& out, const HistoryRecord& record);

}  // namespace fanfare
