#include "nats/jetstream.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/timestamp.h"
#include "base/uuid.h"

namespace fanfare {

namespace {

using Json = nlohmann::json;

constexpr int no_such_consumer = 10014;

std::int64_t nanos(Duration duration) { return duration.count(); }

/// 0 stands for no bound here and in our options; JetStream writes -1.
std::int64_t bound(std::uint64_t value) {
    return value == 0 ? -1 : static_cast<std::int64_t>(value);
}

/// What an answer says, or why there is none.
JsResult<Json> parsed(const NatsReply& reply) {
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
    Json answer = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!answer.is_object()) return JsError(0, 0, "an answer that is no JSON object");
    const auto problem = answer.find("error");
    if (problem == answer.end() || !problem->is_object()) return answer;
    return JsError(problem->value("code", 500), problem->value("err_code", 0),
                   problem->value("description", std::string("no description")));
}

JsStreamInfo stream_info_of(const Json& answer) {
    const Json& state = answer.at("state");
    return {.created = answer.value("created", std::string()),
            .first_seq = state.value("first_seq", std::uint64_t{0}),
            .last_seq = state.value("last_seq", std::uint64_t{0}),
            .messages = state.value("messages", std::uint64_t{0}),
            .bytes = state.value("bytes", std::uint64_t{0})};
}

JsConsumerInfo consumer_info_of(const Json& answer) {
    const auto number = [&answer](const char* name) {
        return answer.value(name, std::uint64_t{0});
    };
    return {.name = answer.at("name"),
            .description = answer.at("config").value("description", std::string()),
            .filter = answer.at("config").value("filter_subject", std::string()),
            .delivered_seq = answer.at("delivered").value("stream_seq", std::uint64_t{0}),
            .ack_floor = answer.at("ack_floor").value("stream_seq", std::uint64_t{0}),
            .ack_pending = number("num_ack_pending"),
            .redelivered = number("num_redelivered"),
            .pending = number("num_pending"),
            .waiting = number("num_waiting"),
            .is_acknowledged = answer.at("config").value("ack_policy", "none") != "none"};
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

JsStored stored_of(const Json& answer) {
    const Json& message = answer.at("message");
    const auto bytes = [&message](const char* name) {
        return from_base64(message.value(name, std::string())).value_or(std::string());
    };
    return {.seq = message.at("seq"),
            .subject = message.at("subject"),
            .time = parse_rfc3339(message.value("time", std::string())).value_or(WallTime()),
            .headers = headers_of_block(bytes("hdrs")),
            .payload = bytes("data")};
}

bool yes(const Json&) { return true; }

/// Asks, and reads the answer with `read`, which may throw if it is not as it should be.
template <class T>
void ask(const JetStream& api, const std::string& what, const Json& body, Duration timeout,
         T (*read)(const Json&), OnJs<T> on_done) {
    const std::string text = body.is_null() ? std::string() : body.dump();
    const NatsOutgoing message{.subject = "$JS.API." + what, .headers = {}, .payload = text};
    const auto on_reply = [read, on_done = std::move(on_done)](const NatsReply& reply) {
        JsResult<T> result = JsError(0, 0, "an answer of an unknown form");
        const JsResult<Json> answer = parsed(reply);
        try {
            result = answer ? JsResult<T>(read(*answer)) : JsResult<T>(answer.error());
        } catch (const Json::exception&) {  // result says so
        }
        on_done(std::move(result));
    };
    api.connection().request(message, timeout, on_reply);
}

Json stream_json(const JsStreamConfig& config) {
    Json body = {{"name", config.name},
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
                 {"max_age", nanos(config.age_max)},
                 {"allow_direct", true},
                 {"allow_rollup_hdrs", config.allow_rollup},
                 {"deny_delete", config.deny_delete}};
    Duration window = config.duplicate_window;
    // JetStream refuses a window that is longer than messages stay.
    if (config.age_max > Duration::zero()) window = std::min(window, config.age_max);
    if (window > Duration::zero()) body["duplicate_window"] = nanos(window);
    return body;
}

/// The answer itself, if it tells of a stream.
Json with_stream(const Json& answer) {
    stream_info_of(answer);
    return answer;
}

/// Why a stream that is there cannot be ours; empty: it can.
std::string what_is_foreign(const Json& there, const Json& wanted) {
    for (const char* name : {"subjects", "retention", "storage"}) {
        if (there.value(name, Json()) == wanted.at(name)) continue;
        return std::string("somebody else's stream has this name, its ") + name + " are others";
    }
    return {};
}

/// What a server leaves out is zero, false or nothing.
bool is_as_wanted(const Json& there, const Json& wanted) {
    for (const auto& [name, value] : wanted.items()) {
        const auto found = there.find(name);
        if (found != there.end() ? *found != value : value != 0 && value != false) return false;
    }
    return true;
}

Json consumer_json(const JsConsumerConfig& config) {
    Json body = {{"deliver_policy", config.first_seq == 0 ? "new" : "by_start_sequence"},
                 {"ack_policy", config.is_acknowledged ? "explicit" : "none"},
                 {"replay_policy", "instant"},
                 {"filter_subject", config.filter},
                 {"description", config.description},
                 {"max_waiting", config.waiting_max}};
    if (config.first_seq != 0) body["opt_start_seq"] = config.first_seq;
    if (!config.durable.empty()) body["durable_name"] = config.durable;
    if (config.is_acknowledged) {
        body["ack_wait"] = nanos(config.ack_wait);
        body["max_ack_pending"] = config.ack_pending_max;
        body["max_deliver"] = -1;
    }
    if (config.durable.empty()) {
        body["mem_storage"] = true;
        body["num_replicas"] = 1;
        body["inactive_threshold"] = nanos(config.kept_idle);
    }
    return body;
}

/// Puts the bounds of `wanted` into `there`. Whether that changes anything.
bool change_bounds(Json& there, const Json& wanted) {
    bool is_changed = false;
    for (const char* name : {"ack_wait", "max_ack_pending"}) {
        if (there.value(name, Json()) == wanted.at(name)) continue;
        there[name] = wanted.at(name);
        is_changed = true;
    }
    return is_changed;
}

/// The answer itself, if it tells of a consumer.
Json with_config(const Json& answer) {
    consumer_info_of(answer);
    return answer;
}

/// No place has such a name: an `_` in those is a part of an escape, or before a `p`.
constexpr std::string_view reader_prefix = "_r";

/// Several of them, all or the next ones.
struct ConsumerPage {
    JsConsumers consumers;
    std::uint64_t size = 0;  ///< readers included
    std::uint64_t total = 0;
};

ConsumerPage consumer_page_of(const Json& answer) {
    ConsumerPage page;
    page.total = answer.value("total", std::uint64_t{0});
    const auto list = [&answer](const char* name) {
        const auto found = answer.find(name);
        return found != answer.end() && found->is_array() ? *found : Json::array();
    };
    const auto is_reader = [](const std::string& name) { return name.starts_with(reader_prefix); };
    for (const Json& one : list("consumers")) {
        ++page.size;
        JsConsumerInfo info = consumer_info_of(one);
        if (!is_reader(info.name)) page.consumers.known.push_back(std::move(info));
    }
    for (const Json& one : list("missing")) {
        ++page.size;
        std::string name = one.get<std::string>();
        if (!is_reader(name)) page.consumers.silent.push_back(std::move(name));
    }
    return page;
}

/// Reads one page of consumers after another.
void read_pages(const JetStream& api, const std::string& stream, Duration timeout,
                ConsumerPage so_far, OnJs<JsConsumers> on_done) {
    const Json body = {{"offset", so_far.size}};
    const auto on_page = [api, stream, timeout, so_far = std::move(so_far),
                          on_done = std::move(on_done)](JsResult<ConsumerPage> page) mutable {
        if (!page) return on_done(page.error());
        JsConsumers& all = so_far.consumers;
        std::ranges::move(page->consumers.known, std::back_inserter(all.known));
        std::ranges::move(page->consumers.silent, std::back_inserter(all.silent));
        so_far.size += page->size;
        if (page->size == 0 || so_far.size >= page->total) return on_done(std::move(all));
        read_pages(api, stream, timeout, std::move(so_far), std::move(on_done));
    };
    ask<ConsumerPage>(api, "CONSUMER.LIST." + stream, body, timeout, consumer_page_of, on_page);
}

}  // namespace

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
                          on_done = std::move(on_done)](const JsResult<Json>& answer) {
        const Json wanted = stream_json(config);
        if (!answer) {
            if (!answer.error().is_not_found()) return on_done(answer.error());
            return ask<JsStreamInfo>(api, "STREAM.CREATE." + config.name, wanted, timeout,
                                     stream_info_of, on_done);
        }
        const Json there = answer->value("config", Json::object());
        const std::string foreign = what_is_foreign(there, wanted);
        if (!foreign.empty()) return on_done(JsError(0, 0, foreign));
        JsStreamInfo info = stream_info_of(*answer);
        if (is_as_wanted(there, wanted)) return on_done(std::move(info));
        // A server that is short of room refuses even what changes little: what is there is used.
        const auto on_changed = [api, on_done, name = config.name,
                                 info](const JsResult<JsStreamInfo>& changed) {
            if (changed) return on_done(changed);
            api.connection().log().warn("nats", "a stream cannot be changed, it is used as it is",
                                        {{"stream", name}, {"error", changed.error().text()}});
            on_done(info);
        };
        ask<JsStreamInfo>(api, "STREAM.UPDATE." + config.name, wanted, timeout, stream_info_of,
                          on_changed);
    };
    ask<Json>(*this, "STREAM.INFO." + config.name, Json(), timeout_, with_stream, on_info);
}

void JetStream::stream_info(const std::string& stream, OnJs<JsStreamInfo> on_done) const {
    ask<JsStreamInfo>(*this, "STREAM.INFO." + stream, nullptr, timeout_, stream_info_of,
                      std::move(on_done));
}

void JetStream::delete_stream(const std::string& stream, OnJs<bool> on_done) const {
    ask<bool>(*this, "STREAM.DELETE." + stream, nullptr, timeout_, yes, std::move(on_done));
}

void JetStream::purge(const std::string& stream, const JsPurge& what,
                      OnJs<std::uint64_t> on_done) const {
    Json body = Json::object();
    if (what.below_seq != 0) body["seq"] = what.below_seq;
    if (!what.subject.empty()) body["filter"] = what.subject;
    const auto purged = [](const Json& answer) { return answer.value("purged", std::uint64_t{0}); };
    ask<std::uint64_t>(*this, "STREAM.PURGE." + stream, body, timeout_, purged, std::move(on_done));
}

void JetStream::get(const std::string& stream, const JsWhich& which, OnJs<JsStored> on_done) const {
    Json body = Json::object();
    if (!which.last_of.empty()) {
        body["last_by_subj"] = which.last_of;
    } else {
        body["seq"] = which.seq;
        if (!which.next_of.empty()) body["next_by_subj"] = which.next_of;
    }
    ask<JsStored>(*this, "STREAM.MSG.GET." + stream, body, timeout_, stored_of, std::move(on_done));
}

void JetStream::delete_message(const std::string& stream, std::uint64_t seq,
                               OnJs<bool> on_done) const {
    const Json body = {{"seq", seq}, {"no_erase", true}};
    ask<bool>(*this, "STREAM.MSG.DELETE." + stream, body, timeout_, yes, std::move(on_done));
}

void JetStream::ensure_consumer(const JsConsumerConfig& config,
                                OnJs<JsConsumerInfo> on_done) const {
    const std::string durable = config.durable;
    if (durable.empty()) {
        const std::string name = std::string(reader_prefix) + make_uuid();
        Json body = {{"stream_name", config.stream}, {"config", consumer_json(config)}};
        body["config"]["name"] = name;
        return ask<JsConsumerInfo>(*this, "CONSUMER.CREATE." + config.stream + "." + name, body,
                                   timeout_, consumer_info_of, std::move(on_done));
    }
    const JetStream api = *this;
    const Duration timeout = timeout_;
    const auto on_info = [api, timeout, config,
                          on_done = std::move(on_done)](const JsResult<Json>& info) {
        if (!info && info.error().number() != no_such_consumer) return on_done(info.error());
        Json wanted = consumer_json(config);
        if (info) {
            // Where it began cannot be changed, and need not be as it would be now.
            Json there = info->at("config");
            if (!change_bounds(there, wanted)) return on_done(consumer_info_of(*info));
            wanted = std::move(there);
        }
        const Json body = {{"stream_name", config.stream}, {"config", wanted}};
        ask<JsConsumerInfo>(api, "CONSUMER.DURABLE.CREATE." + config.stream + "." + config.durable,
                            body, timeout, consumer_info_of, on_done);
    };
    ask<Json>(*this, "CONSUMER.INFO." + config.stream + "." + durable, nullptr, timeout_,
              with_config, on_info);
}

void JetStream::consumer_info(const std::string& stream, const std::string& consumer,
                              OnJs<JsConsumerInfo> on_done) const {
    ask<JsConsumerInfo>(*this, "CONSUMER.INFO." + stream + "." + consumer, nullptr, timeout_,
                        consumer_info_of, std::move(on_done));
}

void JetStream::delete_consumer(const std::string& stream, const std::string& consumer,
                                OnJs<bool> on_done) const {
    const auto on_deleted = [on_done = std::move(on_done)](const JsResult<bool>& result) {
        on_done(!result && result.error().is_not_found() ? JsResult<bool>(true) : result);
    };
    ask<bool>(*this, "CONSUMER.DELETE." + stream + "." + consumer, nullptr, timeout_, yes,
              on_deleted);
}

void JetStream::consumers(const std::string& stream, OnJs<JsConsumers> on_done) const {
    read_pages(*this, stream, timeout_, {}, std::move(on_done));
}

void JetStream::publish(const NatsOutgoing& message, Duration timeout,
                        OnJs<JsPubAck> on_done) const {
    const auto on_reply = [on_done = std::move(on_done)](const NatsReply& reply) {
        const JsResult<Json> answer = parsed(reply);
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
