#include "sink/format/format.h"

#include <utility>
#include <vector>

#include "sink/format/cloudevents_binary_format.h"
#include "sink/format/cloudevents_format.h"
#include "sink/format/envelope_format.h"
#include "sink/format/event_format.h"
#include "sink/format/template_format.h"

namespace fanfare {
namespace {

using FormatPtr = std::unique_ptr<Format>;

FormatPtr make_binary(const HttpSinkOptions& options) {
    std::vector<std::string> configured;
    for (const auto& header : options.headers) configured.push_back(header.first);
    return std::make_unique<CloudEventsBinaryFormat>(options.type_prefix, std::move(configured));
}

Result<FormatPtr> make_templated(const HttpSinkOptions& options) {
    Result<Template> made = Template::make(options.body_template, template_output(options));
    if (made.has_error()) return Error("the template " + made.error().message());
    return FormatPtr(std::make_unique<TemplateFormat>(std::move(*made)));
}

}  // namespace

std::string_view to_string(BodyFormat format) noexcept {
    switch (format) {
        case BodyFormat::envelope:
            return "envelope";
        case BodyFormat::event:
            return "event";
        case BodyFormat::cloudevents:
            return "cloudevents";
        case BodyFormat::cloudevents_binary:
            return "cloudevents-binary";
        case BodyFormat::templated:
            return "template";
    }
    return "unknown";
}

Result<FormatPtr> make_format(const HttpSinkOptions& options) {
    switch (options.format) {
        case BodyFormat::envelope:
            break;
        case BodyFormat::event:
            return FormatPtr(std::make_unique<EventFormat>());
        case BodyFormat::cloudevents:
            return FormatPtr(std::make_unique<CloudEventsFormat>(options.type_prefix));
        case BodyFormat::cloudevents_binary:
            return make_binary(options);
        case BodyFormat::templated:
            return make_templated(options);
    }
    return FormatPtr(std::make_unique<EnvelopeFormat>());
}

}  // namespace fanfare
