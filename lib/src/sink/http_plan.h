#pragma once

#include <string>

#include "fanfare/http_sink.h"
#include "http/resolver.h"
#include "http/url.h"
#include "sink/head_template.h"
#include "sink/route.h"

namespace fanfare {

/// What the HTTP sinks of one endpoint share: made once, never changed.
struct HttpPlan {
    HttpSinkOptions options;
    Url url;  ///< as it is asked for: whole, if a proxy relays it
    HeadTemplate head;
    Route route;
    Resolver& resolver;
};

}  // namespace fanfare
