#pragma once

#include <boost/system/system_error.hpp>
#include <cstdint>
#include <memory>

#include "event/json_lookup.h"
#include "fanfare/event.h"

namespace fanfare {

/// Why an event cannot be rendered.
enum class RenderErrc : std::uint8_t {
    several_events = 1,   ///< a format for one event was given a batch
    no_json,              ///< the payload is no JSON object
    too_large,            ///< beyond rendered_bytes_max
    too_many_attributes,  ///< headers beyond attribute_bytes_max
    bad_content_type,     ///< `datacontenttype` can be no header
    bad_base64,           ///< `data_base64` is none
};

boost::system::system_error render_error(RenderErrc code);

/// For looking fields of the payload up; throws render_error() if it is no JSON object.
std::unique_ptr<JsonLookup> look_into(const Event& event);

}  // namespace fanfare
