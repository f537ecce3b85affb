#include "config/effective.h"
#include "config/format_values.h"
#include "config/schema.h"

namespace fanfare {

std::vector<Key> make_format_keys() {
    Key format{
        "format",
        "What is posted: the registry's envelope around the event, the event alone, a "
        "CloudEvent, or what `template` makes of it.",
        choice<BodyFormat>({"envelope", "event", "cloudevents", "cloudevents-binary", "template"},
                           [](Target& t) -> decltype(auto) { return (t.endpoint.http.format); })};
    Key body{"template",
             "The body that format `template` posts: any value, in whose texts `{{ /json/pointer "
             "}}` stands for what the event has there; README.md tells more.",
             SpecialKind{"any value", template_json_schema(), read_template, show_template},
             false,
             {},
             "{text: '{{ /action }} of {{ /target/repository }}'}"};
    Key type_prefix{
        "type_prefix",
        "Of the type of CloudEvents that are made of events which came in no registry's "
        "envelope: `<type_prefix>.<action>`.",
        TextKind{"a prefix of a type", check_type_prefix,
                 [](Target& t) -> decltype(auto) { return (t.endpoint.http.type_prefix); }}};
    return {std::move(format), std::move(body), std::move(type_prefix)};
}

}  // namespace fanfare
