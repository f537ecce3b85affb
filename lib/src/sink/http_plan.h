#pragma once

#include <memory>
#include <string>

#include "fanfare/http_sink.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "http/url.h"
#include "sink/format/format.h"
#include "sink/head_template.h"

namespace fanfare {

/// What the HTTP sinks of one endpoint share: made once, never changed.
struct HttpPlan {
    HttpSinkOptions options;
    Url url;
    HeadTemplate head;
    std::unique_ptr<const Format> format;
    TlsContextPtr tls;        ///< null: plain
    std::string server_name;  ///< for TLS
    Resolver& resolver;
    Connector& connector;
};

}  // namespace fanfare
