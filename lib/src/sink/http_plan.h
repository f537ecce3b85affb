#pragma once

#include <string>

#include "fanfare/http_sink.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "http/url.h"
#include "sink/head_template.h"

namespace fanfare {

/// What the HTTP sinks of one endpoint share: made once, never changed.
struct HttpPlan {
    HttpSinkOptions options;
    Url url;
    HeadTemplate head;
    TlsContextPtr tls;        ///< null: plain
    std::string server_name;  ///< for TLS
    Resolver& resolver;
    Connector& connector;
};

}  // namespace fanfare
