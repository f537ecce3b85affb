#include "sink/format/render_error.h"

#include <stdexcept>
#include <string>

namespace fanfare {
namespace {

// Boost's categories have no virtual destructor, as nobody destroys one by its base.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class RenderCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "fanfare.render"; }

    std::string message(int value) const override {
        switch (static_cast<RenderErrc>(value)) {
            case RenderErrc::several_events:
                return "the format takes one event at a time";
            case RenderErrc::no_json:
                return "the event is no JSON object";
            case RenderErrc::too_large:
                return "the template makes too much of the event";
            case RenderErrc::too_many_attributes:
                return "the event's attributes are too long for headers";
            case RenderErrc::bad_content_type:
                return "the event's datacontenttype is no header value";
            case RenderErrc::bad_base64:
                return "the event's data_base64 is none";
        }
        return "unknown";
    }
};

#pragma GCC diagnostic pop

const RenderCategory& render_category() {
    static const RenderCategory category;
    return category;
}

}  // namespace

boost::system::system_error render_error(RenderErrc code) {
    const boost::system::error_code error(static_cast<int>(code), render_category());
    return boost::system::system_error(error);
}

std::unique_ptr<JsonLookup> look_into(const Event& event) {
    try {
        return std::make_unique<JsonLookup>(event.payload());
    } catch (const std::invalid_argument&) {
        throw render_error(RenderErrc::no_json);
    }
}

}  // namespace fanfare
