#include "server/events/record_text.h"

#include "base/timestamp.h"

namespace fanfare {

void append_record(std::string& out, const HistoryRecord& record) {
    out += R"("seq":)";
    out += std::to_string(record.seq);
    out += R"(,"received":")";
    out += rfc3339_micros(record.received);
    out += R"(","source":")";
    out += to_string(record.source);
    out += R"(","event":)";
    out += record.event->payload();
}

}  // namespace fanfare
