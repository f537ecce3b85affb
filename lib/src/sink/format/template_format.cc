#include "sink/format/template_format.h"

#include <algorithm>

#include "http/fields.h"
#include "http/media_type.h"
#include "sink/format/render_error.h"

namespace fanfare {

void TemplateFormat::render(Batch batch, Body& body) const {
    if (batch.size() > 1) throw render_error(RenderErrc::several_events);
    template_.render(*batch.front(), body.text);
    body.content_type = "application/json";
    body.append(body.text);
}

Template::Output template_output(const HttpSinkOptions& options) {
    const bool is_text =
        std::any_of(options.headers.begin(), options.headers.end(), [](const auto& header) {
            return equals_ignoring_case(header.first, "Content-Type") &&
                   lower_case(media_type_of(header.second)).starts_with("text/");
        });
    const bool is_string = options.body_template.starts_with('"');
    return is_text && is_string ? Template::Output::plain : Template::Output::json;
}

}  // namespace fanfare
