#pragma once

#include "sink/format/format.h"
#include "sink/format/template.h"

namespace fanfare {

/// `template`: what a Template makes of an event. One event at a time.
class TemplateFormat final : public Format {
  public:
    explicit TemplateFormat(Template body) : template_(std::move(body)) {}

    void render(Batch batch, Body& body) const override;

  private:
    const Template template_;
};

/// As what the options' template is rendered: a single string as bare text if a configured
/// Content-Type says `text/…`, else JSON.
Template::Output template_output(const HttpSinkOptions& options);

}  // namespace fanfare
