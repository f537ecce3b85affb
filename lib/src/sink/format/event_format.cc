#include "sink/format/event_format.h"

namespace fanfare {
namespace {

/// Line ends inside an event can only be white space between tokens, so they may go.
void put_line(const Event& event, std::string& out) {
    for (const char c : event.payload()) {
        if (c != '\n' && c != '\r') out.push_back(c);
    }
    out.push_back('\n');
}

}  // namespace

void EventFormat::render(Batch batch, Body& body) const {
    if (batch.size() == 1) {
        body.content_type = "application/json";
        body.append(batch.front()->payload());
        return;
    }
    body.content_type = "application/x-ndjson";
    for (const EventPtr& event : batch) put_line(*event, body.text);
    body.append(body.text);
}

}  // namespace fanfare
