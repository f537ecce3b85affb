#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "nats/jetstream.h"

namespace fanfare {

// How the JSON API is asked, for what JetStream is made of.

using JsJson = nlohmann::json;

inline std::int64_t js_nanos(Duration duration) { return duration.count(); }

/// What an answer says, or why there is none.
JsResult<JsJson> js_answer(const NatsReply& reply);

inline bool js_yes(const JsJson&) { return true; }

/// Asks, and reads the answer with `read`, which may throw if it is not as it should be.
template <class T>
void js_ask(const JetStream& api, const std::string& what, const JsJson& body, Duration timeout,
            T (*read)(const JsJson&), OnJs<T> on_done) {
    const std::string text = body.is_null() ? std::string() : body.dump();
    const NatsOutgoing message{.subject = "$JS.API." + what, .headers = {}, .payload = text};
    const auto on_reply = [read, on_done = std::move(on_done)](const NatsReply& reply) {
        JsResult<T> result = JsError(0, 0, "an answer of an unknown form");
        const JsResult<JsJson> answer = js_answer(reply);
        try {
            result = answer ? JsResult<T>(read(*answer)) : JsResult<T>(answer.error());
        } catch (const JsJson::exception&) {  // result says so
        }
        on_done(std::move(result));
    };
    api.connection().request(message, timeout, on_reply);
}

}  // namespace fanfare
