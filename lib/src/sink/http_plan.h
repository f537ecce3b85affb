#pragma once

#include <memory>
#include <string>

#include "fanfare/http_sink.h"
#include "http/resolver.h"
#include "http/url.h"
#include "sink/format/format.h"
#include "sink/head_template.h"
#include "sink/route.h"

namespace fanfare {

class Authorizer;
class OAuth2;
class SigningKeys;

/// What the HTTP sinks of one endpoint share: made once, never changed.
struct HttpPlan {
    HttpSinkOptions options;
    Url url;  ///< as it is asked for: whole, if a proxy relays it
    HeadTemplate head;
    std::unique_ptr<const Format> format;
    Route route;
    Resolver& resolver;
    std::shared_ptr<SigningKeys> signing = nullptr;    ///< null: requests are not signed
    std::shared_ptr<Authorizer> authorizer = nullptr;  ///< null: the head has it, if any
    std::shared_ptr<OAuth2> oauth2 = nullptr;          ///< the authorizer, if it is one
};

/// The plan but for its credentials.
Result<HttpPlan> make_http_plan(HttpSinkOptions options, Resolver& resolver, Connector& connector);

}  // namespace fanfare
