// What JetStream knows of consumers, and how they are made.
#include <algorithm>
#include <iterator>

#include "base/uuid.h"
#include "nats/jetstream_ask.h"

namespace fanfare {

namespace {

constexpr int no_such_consumer = 10014;

std::uint64_t number_at(const JsJson& object, const char* name) {
    return object.value(name, std::uint64_t{0});
}

/// Servers say 0 until the first acknowledgement: nothing before the place at which it began was
/// ever the consumer's, and nothing up to the last one given out if none of it is out any more.
std::uint64_t ack_floor_of(const JsJson& answer) {
    const JsJson& floor = answer.at("ack_floor");
    if (number_at(floor, "consumer_seq") != 0) return number_at(floor, "stream_seq");
    const std::uint64_t first = number_at(answer.at("config"), "opt_start_seq");
    const std::uint64_t before = first == 0 ? 0 : first - 1;
    if (number_at(answer, "num_ack_pending") != 0) return before;
    return std::max(before, number_at(answer.at("delivered"), "stream_seq"));
}

JsConsumerInfo consumer_info_of(const JsJson& answer) {
    const auto number = [&answer](const char* name) { return number_at(answer, name); };
    return {.name = answer.at("name"),
            .description = answer.at("config").value("description", std::string()),
            .filter = answer.at("config").value("filter_subject", std::string()),
            .delivered_seq = number_at(answer.at("delivered"), "stream_seq"),
            .ack_floor = ack_floor_of(answer),
            .ack_pending = number("num_ack_pending"),
            .redelivered = number("num_redelivered"),
            .pending = number("num_pending"),
            .waiting = number("num_waiting"),
            .is_acknowledged = answer.at("config").value("ack_policy", "none") != "none"};
}

JsJson consumer_json(const JsConsumerConfig& config) {
    JsJson body = {{"deliver_policy", config.first_seq == 0 ? "new" : "by_start_sequence"},
                   {"ack_policy", config.is_acknowledged ? "explicit" : "none"},
                   {"replay_policy", "instant"},
                   {"filter_subject", config.filter},
                   {"description", config.description},
                   {"max_waiting", config.waiting_max}};
    if (config.first_seq != 0) body["opt_start_seq"] = config.first_seq;
    if (!config.durable.empty()) body["durable_name"] = config.durable;
    if (config.is_acknowledged) {
        body["ack_wait"] = js_nanos(config.ack_wait);
        body["max_ack_pending"] = config.ack_pending_max;
        body["max_deliver"] = -1;
    }
    if (config.durable.empty()) {
        body["mem_storage"] = true;
        body["num_replicas"] = 1;
        body["inactive_threshold"] = js_nanos(config.kept_idle);
    }
    return body;
}

/// Puts the bounds of `wanted` into `there`. Whether that changes anything.
bool change_bounds(JsJson& there, const JsJson& wanted) {
    bool is_changed = false;
    for (const char* name : {"ack_wait", "max_ack_pending"}) {
        if (there.value(name, JsJson()) == wanted.at(name)) continue;
        there[name] = wanted.at(name);
        is_changed = true;
    }
    return is_changed;
}

/// The answer itself, if it tells of a consumer.
JsJson with_config(const JsJson& answer) {
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

ConsumerPage consumer_page_of(const JsJson& answer) {
    ConsumerPage page;
    page.total = answer.value("total", std::uint64_t{0});
    const auto list = [&answer](const char* name) {
        const auto found = answer.find(name);
        return found != answer.end() && found->is_array() ? *found : JsJson::array();
    };
    const auto is_reader = [](const std::string& name) { return name.starts_with(reader_prefix); };
    for (const JsJson& one : list("consumers")) {
        ++page.size;
        JsConsumerInfo info = consumer_info_of(one);
        if (!is_reader(info.name)) page.consumers.known.push_back(std::move(info));
    }
    for (const JsJson& one : list("missing")) {
        ++page.size;
        std::string name = one.get<std::string>();
        if (!is_reader(name)) page.consumers.silent.push_back(std::move(name));
    }
    return page;
}

/// Reads one page of consumers after another.
void read_pages(const JetStream& api, const std::string& stream, Duration timeout,
                ConsumerPage so_far, OnJs<JsConsumers> on_done) {
    const JsJson body = {{"offset", so_far.size}};
    const auto on_page = [api, stream, timeout, so_far = std::move(so_far),
                          on_done = std::move(on_done)](JsResult<ConsumerPage> page) mutable {
        if (!page) return on_done(page.error());
        // One of a page before that has gone since has moved the others.
        const bool is_other = so_far.size != 0 && page->total != so_far.total;
        if (is_other) return on_done(JsError(0, 0, "the list has changed while it was read"));
        so_far.total = page->total;
        JsConsumers& all = so_far.consumers;
        std::ranges::move(page->consumers.known, std::back_inserter(all.known));
        std::ranges::move(page->consumers.silent, std::back_inserter(all.silent));
        so_far.size += page->size;
        if (page->size == 0 || so_far.size >= page->total) return on_done(std::move(all));
        read_pages(api, stream, timeout, std::move(so_far), std::move(on_done));
    };
    js_ask<ConsumerPage>(api, "CONSUMER.LIST." + stream, body, timeout, consumer_page_of, on_page);
}

}  // namespace

void JetStream::ensure_consumer(const JsConsumerConfig& config,
                                OnJs<JsConsumerInfo> on_done) const {
    const std::string durable = config.durable;
    if (durable.empty()) {
        const std::string name = std::string(reader_prefix) + make_uuid();
        JsJson body = {{"stream_name", config.stream}, {"config", consumer_json(config)}};
        body["config"]["name"] = name;
        return js_ask<JsConsumerInfo>(*this, "CONSUMER.CREATE." + config.stream + "." + name, body,
                                      timeout_, consumer_info_of, std::move(on_done));
    }
    const JetStream api = *this;
    const Duration timeout = timeout_;
    const auto on_info = [api, timeout, config,
                          on_done = std::move(on_done)](const JsResult<JsJson>& info) {
        if (!info && info.error().number() != no_such_consumer) return on_done(info.error());
        JsJson wanted = consumer_json(config);
        if (info) {
            // Where it began cannot be changed, and need not be as it would be now.
            JsJson there = info->at("config");
            if (!change_bounds(there, wanted)) return on_done(consumer_info_of(*info));
            wanted = std::move(there);
        }
        const JsJson body = {{"stream_name", config.stream}, {"config", wanted}};
        js_ask<JsConsumerInfo>(api,
                               "CONSUMER.DURABLE.CREATE." + config.stream + "." + config.durable,
                               body, timeout, consumer_info_of, on_done);
    };
    js_ask<JsJson>(*this, "CONSUMER.INFO." + config.stream + "." + durable, nullptr, timeout_,
                   with_config, on_info);
}

void JetStream::consumer_info(const std::string& stream, const std::string& consumer,
                              OnJs<JsConsumerInfo> on_done) const {
    js_ask<JsConsumerInfo>(*this, "CONSUMER.INFO." + stream + "." + consumer, nullptr, timeout_,
                           consumer_info_of, std::move(on_done));
}

void JetStream::delete_consumer(const std::string& stream, const std::string& consumer,
                                OnJs<bool> on_done) const {
    const auto on_deleted = [on_done = std::move(on_done)](const JsResult<bool>& result) {
        on_done(!result && result.error().is_not_found() ? JsResult<bool>(true) : result);
    };
    js_ask<bool>(*this, "CONSUMER.DELETE." + stream + "." + consumer, nullptr, timeout_, js_yes,
                 on_deleted);
}

void JetStream::consumers(const std::string& stream, OnJs<JsConsumers> on_done) const {
    read_pages(*this, stream, timeout_, {}, std::move(on_done));
}

}  // namespace fanfare
