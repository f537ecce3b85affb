#include "sink/format/cloudevents_format.h"

#include "event/json_view.h"
#include "sink/format/cloudevent.h"

namespace fanfare {

/// What stands before the payload of an event that is no CloudEvent.
void CloudEventsFormat::put_opening(const Event& event, std::string& out) const {
    char separator = '{';
    for (const auto& [name, value] : attributes_of(event, type_prefix_)) {
        out += separator;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
        separator = ',';
    }
    out += R"(,"datacontenttype":"application/json","data":)";
}

void CloudEventsFormat::render(Batch batch, Body& body) const {
    // The text may move while it grows, so it is finished before anything points into it.
    boost::container::small_vector<std::size_t, 8> openings;
    for (const EventPtr& event : batch) {
        const std::size_t begin = body.text.size();
        if (event->type() != MediaType::cloudevents) put_opening(*event, body.text);
        openings.push_back(body.text.size() - begin);
    }
    const bool is_batch = batch.size() > 1;
    body.content_type =
        is_batch ? "application/cloudevents-batch+json" : "application/cloudevents+json";
    std::string_view rest = body.text;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (is_batch) body.append(i == 0 ? "[" : ",");
        if (openings[i] > 0) body.append(rest.substr(0, openings[i]));
        rest.remove_prefix(openings[i]);
        body.append(batch[i]->payload());
        if (openings[i] > 0) body.append("}");
    }
    if (is_batch) body.append("]");
}

}  // namespace fanfare
