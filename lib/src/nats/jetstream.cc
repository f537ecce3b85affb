#include "nats/jetstream.h"

#include "base/base64.h"
#include "base/timestamp.h"
#include "nats/jetstream_ask.h"
#include "nats/stream_change.h"

namespace fanfare {

namespace {

/// 0 stands for no bound here and in our options; JetStream writes -1.
std::int64_t bound(std::uint64_t value) {
    return value == 0 ? -1 : static_cast<std::int64_t>(value);
}

JsStreamInfo stream_info_of(const JsJson& answer) {
    const JsJson& state = answer.at("state");
    return {.created = answer.value("created", std::string()),
            .first_seq = state.value("first_seq", std::uint64_t{0}),
            .last_seq = state.value("last_seq", std::uint64_t{0}),
            .messages = state.value("messages", std::uint64_t{0}),
            .bytes = state.value("bytes", std::uint64_t{0})};
}

/// The lines of a message's header block as pairs, without the first line.
NatsHeaders headers_of_block(std::string_view block) {
    NatsHeaders headers;
    std::size_t at = block.find("\r\n");
    while (at != std::string_view::npos) {
        const std::size_t begin = at + 2;
        at = block.find("\r\n", begin);
        const std::string_view line = block.substr(begin, at - begin);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view value = line.substr(colon + 1);
        const std::size_t first = value.find_first_not_of(' ');
        value = first == std::string_view::npos ? std::string_view() : value.substr(first);
        headers.emplace_back(line.substr(0, colon), value);
    }
    return headers;
}

JsStored stored_of(const JsJson& answer) {
    const JsJson& message = answer.at("message");
    const auto bytes = [&message](const char* name) {
        return from_base64(message.value(name, std::string())).value_or(std::string());
    };
    return {.seq = message.at("seq"),
            .subject = message.at("subject"),
            .time = parse_rfc3339(message.value("time", std::string())).value_or(WallTime()),
            .headers = headers_of_block(bytes("hdrs")),
            .payload = bytes("data")};
}

JsJson stream_json(const JsStreamConfig& config) {
    JsJson body = {{"name", config.name},
                   {"subjects", config.subjects},
                   {"retention", "limits"},
                   {"storage", "file"},
                   {"discard", config.discard_new ? "new" : "old"},
                   {"num_replicas", config.replicas},
                   {"max_bytes", bound(config.bytes_max)},
                   {"max_msgs", -1},
                   {"max_msg_size", -1},
                   {"max_consumers", -1},
                   {"max_msgs_per_subject", bound(config.per_subject_max)},
                   {"max_age", js_nanos(config.age_max)},
                   {"allow_direct", true},
                   {"allow_rollup_hdrs", config.allow_rollup},
                   {"deny_delete", config.deny_delete}};
    Duration window = config.duplicate_window;
    // JetStream refuses a window that is longer than messages stay.
    if (config.age_max > Duration::zero()) window = std::min(window, config.age_max);
    if (window > Duration::zero()) body["duplicate_window"] = js_nanos(window);
    return body;
}

/// The answer itself, if it tells of a stream.
JsJson with_stream(const JsJson& answer) {
    stream_info_of(answer);
    return answer;
}

/// A stream that is there, and what was wanted of it.
struct StreamFound {
    JsStreamConfig wanted;
    JsStreamInfo info;
    JsStreamChange change;
};

void tell_kept(Log& log, const StreamFound& found) {
    log.warn("nats",
             "a stream has more replicas than queue.replicas says and keeps them; "
             "`nats stream edit --replicas` gives it fewer",
             {{"stream", found.wanted.name},
              {"replicas", found.change.replicas_kept},
              {"configured", found.wanted.replicas}});
}

void tell_changed(Log& log, const StreamFound& found, const JsResult<JsStreamInfo>& changed) {
    if (changed) {
        log.warn("nats", "a stream was configured otherwise and has been changed",
                 {{"stream", found.wanted.name}, {"changes", found.change.settings}});
    } else if (!found.wanted.is_told) {
        log.warn("nats", "a stream cannot be changed, it is used as it is",
                 {{"stream", found.wanted.name},
                  {"changes", found.change.settings},
                  {"error", changed.error().text()}});
    }
}

}  // namespace

JsResult<JsJson> js_answer(const NatsReply& reply) {
    switch (reply.outcome) {
        case NatsOutcome::answered:
            break;
        case NatsOutcome::timed_out:
            return JsError(0, 0, "no answer in time");
        case NatsOutcome::unavailable:
            return JsError(503, 0, "not connected, or no JetStream");
        case NatsOutcome::too_large:
            return JsError(400, 0, "too large for the server");
    }
    const std::string_view text = reply.message.payload();
    JsJson answer = JsJson::parse(text.begin(), text.end(), nullptr, false);
    if (!answer.is_object()) return JsError(0, 0, "an answer that is no JSON object");
    const auto problem = answer.find("error");
    if (problem == answer.end() || !problem->is_object()) return answer;
    return JsError(problem->value("code", 500), problem->value("err_code", 0),
                   problem->value("description", std::string("no description")));
}

std::string_view JsStored::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

bool is_full(const JsError& error) noexcept {
    switch (error.number()) {
        case 10002:  // the account's resources
        case 10023:  // the server's
        case 10028:  // memory
        case 10047:  // storage
            return true;
        case 10077:  // what the store says: of its bounds, or of something else
            return error.text().find("maximum") != std::string::npos ||
                   error.text().find("no space") != std::string::npos;
        default:
            return false;
    }
}

void JetStream::ensure_stream(const JsStreamConfig& config, OnJs<JsStreamInfo> on_done) const {
    const JetStream api = *this;
    const Duration timeout = timeout_;
    const auto on_info = [api, config, timeout,
                          on_done = std::move(on_done)](const JsResult<JsJson>& answer) {
        const JsJson wanted = stream_json(config);
        if (!answer) {
            if (!answer.error().is_not_found()) return on_done(answer.error());
            return js_ask<JsStreamInfo>(api, "STREAM.CREATE." + config.name, wanted, timeout,
                                        stream_info_of, on_done);
        }
        const JsJson there = answer->value("config", JsJson::object());
        const StreamFound found{config, stream_info_of(*answer), stream_change(there, wanted)};
        if (!found.change.foreign.empty()) return on_done(JsError(0, 0, found.change.foreign));
        Log& log = api.connection().log();
        if (found.change.replicas_kept != 0 && !config.is_told) tell_kept(log, found);
        if (found.change.settings.empty()) return on_done(found.info);
        // A server that is short of room refuses even what changes little: what is there is used.
        const auto on_changed = [api, on_done, found](const JsResult<JsStreamInfo>& changed) {
            tell_changed(api.connection().log(), found, changed);
            on_done(changed ? changed : JsResult<JsStreamInfo>(found.info));
        };
        js_ask<JsStreamInfo>(api, "STREAM.UPDATE." + config.name, found.change.config, timeout,
                             stream_info_of, on_changed);
    };
    js_ask<JsJson>(*this, "STREAM.INFO." + config.name, JsJson(), timeout_, with_stream, on_info);
}

void JetStream::stream_info(const std::string& stream, OnJs<JsStreamInfo> on_done) const {
    js_ask<JsStreamInfo>(*this, "STREAM.INFO." + stream, nullptr, timeout_, stream_info_of,
                         std::move(on_done));
}

void JetStream::delete_stream(const std::string& stream, OnJs<bool> on_done) const {
    js_ask<bool>(*this, "STREAM.DELETE." + stream, nullptr, timeout_, js_yes, std::move(on_done));
}

void JetStream::purge(const std::string& stream, const JsPurge& what,
                      OnJs<std::uint64_t> on_done) const {
    JsJson body = JsJson::object();
    if (what.below_seq != 0) body["seq"] = what.below_seq;
    if (!what.subject.empty()) body["filter"] = what.subject;
    const auto purged = [](const JsJson& answer) {
        return answer.value("purged", std::uint64_t{0});
    };
    js_ask<std::uint64_t>(*this, "STREAM.PURGE." + stream, body, timeout_, purged,
                          std::move(on_done));
}

void JetStream::get(const std::string& stream, const JsWhich& which, OnJs<JsStored> on_done) const {
    JsJson body = JsJson::object();
    if (!which.last_of.empty()) {
        body["last_by_subj"] = which.last_of;
    } else {
        body["seq"] = which.seq;
        if (!which.next_of.empty()) body["next_by_subj"] = which.next_of;
    }
    js_ask<JsStored>(*this, "STREAM.MSG.GET." + stream, body, timeout_, stored_of,
                     std::move(on_done));
}

void JetStream::delete_message(const std::string& stream, std::uint64_t seq,
                               OnJs<bool> on_done) const {
    const JsJson body = {{"seq", seq}, {"no_erase", true}};
    js_ask<bool>(*this, "STREAM.MSG.DELETE." + stream, body, timeout_, js_yes, std::move(on_done));
}

void JetStream::publish(const NatsOutgoing& message, Duration timeout,
                        OnJs<JsPubAck> on_done) const {
    const auto on_reply = [on_done = std::move(on_done)](const NatsReply& reply) {
        const JsResult<JsJson> answer = js_answer(reply);
        if (!answer) return on_done(answer.error());
        const auto seq = answer->find("seq");
        if (seq == answer->end() || !seq->is_number_unsigned()) {
            return on_done(JsError(0, 0, "an acknowledgement without a seq"));
        }
        const auto duplicate = answer->find("duplicate");
        const bool is_duplicate = duplicate != answer->end() && *duplicate == true;
        on_done(JsPubAck{.seq = seq->get<std::uint64_t>(), .is_duplicate = is_duplicate});
    };
    connection_.request(message, timeout, on_reply);
}

}  // namespace fanfare
