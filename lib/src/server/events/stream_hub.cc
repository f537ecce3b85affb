#include "server/events/stream_hub.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace fanfare {

std::string_view to_string(StreamEnd end) noexcept {
    switch (end) {
        case StreamEnd::client:
            return "client";
        case StreamEnd::slow_consumer:
            return "slow_consumer";
        case StreamEnd::write_timeout:
            return "write_timeout";
        case StreamEnd::shutdown:
            return "shutdown";
        case StreamEnd::history_disabled:
            return "history_disabled";
        case StreamEnd::max_age:
            return "max_age";
        case StreamEnd::kicked:
            return "kicked";
        case StreamEnd::failed:
            break;
    }
    return "failed";
}

std::string_view to_string(StreamFormat format) noexcept {
    return format == StreamFormat::sse ? "sse" : "ndjson";
}

std::string_view to_string(StreamRefusal refusal) noexcept {
    switch (refusal) {
        case StreamRefusal::total:
            return "total";
        case StreamRefusal::client:
            return "client";
        case StreamRefusal::disabled:
            break;
    }
    return "disabled";
}

std::string_view to_string(GapReason reason) noexcept {
    return reason == GapReason::restart ? "restart" : "evicted";
}

std::uint64_t StreamState::lag(std::uint64_t history_next) const noexcept {
    const std::uint64_t from = std::max(next, live_from);
    return history_next > from ? history_next - from : 0;
}

StreamHub::StreamHub(Shard& shard, History& history, StreamsOptions options, std::string instance)
    : shard_(shard),
      history_(history),
      instance_(std::move(instance)),
      options_(std::move(options)),
      watch_(std::make_unique<History::Watch>(history, shard.executor(),
                                              [this] { wake_readers(); })) {}

StreamHub::~StreamHub() = default;

StreamHub::Reader::Reader(StreamHub& hub, Wakeup& wakeup) : hub_(hub), wakeup_(wakeup) {
    hub_.readers_.push_back(this);
}

StreamHub::Reader::~Reader() { hub_.readers_.remove(this); }

void StreamHub::Reader::ask(std::uint64_t next) {
    is_asking_ = true;
    hub_.watch_->arm(next);
}

/// All who ask: that there is something for one of them is that there is for all, mostly.
void StreamHub::wake_readers() {
    for (Reader* const reader : readers_) {
        if (std::exchange(reader->is_asking_, false)) reader->wakeup_.notify();
    }
}

void StreamHub::share_connections(std::size_t connections) noexcept {
    places_ = connections - std::min(connections_reserved, connections / 2);
}

std::optional<StreamRefusal> StreamHub::refusal(const std::string& client) const {
    if (options_.total_max == 0) return StreamRefusal::disabled;
    const bool is_full = streams_.size() >= options_.total_max || !has_place();
    if (is_full || is_stopping_) return StreamRefusal::total;
    const auto found = clients_.find(client);
    const std::size_t of_client = found == clients_.end() ? 0 : found->second;
    if (of_client >= options_.per_client_max) return StreamRefusal::client;
    return std::nullopt;
}

void StreamHub::note_refused(StreamRefusal refusal) noexcept {
    ++counts_.rejected[static_cast<std::size_t>(refusal)];
}

std::shared_ptr<StreamHub::Slot> StreamHub::open(StreamState state) {
    state.number = ++last_number_;
    ++counts_.opened[static_cast<std::size_t>(state.format)];
    streams_.push_back(std::move(state));
    ++clients_[streams_.back().client];
    return std::make_shared<Slot>(*this, std::prev(streams_.end()));
}

StreamHub::Slot::~Slot() {
    const auto client = hub_.clients_.find(state_->client);
    if (--client->second == 0) hub_.clients_.erase(client);
    hub_.streams_.erase(state_);
}

bool StreamHub::kick(std::uint64_t number) {
    const auto found = std::find_if(streams_.begin(), streams_.end(),
                                    [number](const auto& s) { return s.number == number; });
    if (found == streams_.end()) return false;
    found->is_kicked = true;
    if (found->wakeup != nullptr) found->wakeup->notify();
    return true;
}

void StreamHub::begin_anew(std::string instance) {
    if (instance == instance_) return;
    instance_ = std::move(instance);
    for (StreamState& stream : streams_) {
        stream.is_kicked = true;
        if (stream.wakeup != nullptr) stream.wakeup->notify();
    }
    wake_readers();
}

void StreamHub::set_options(const StreamsOptions& options) {
    net::post(shard_.executor(), [this, options] { options_ = options; });
}

void StreamHub::stop() {
    is_stopping_ = true;
    for (StreamState& stream : streams_) {
        if (stream.wakeup != nullptr) stream.wakeup->notify();
    }
    wake_readers();
}

StreamCounts StreamHub::totals() const {
    StreamCounts totals = counts_;
    totals.active = streams_.size();
    const std::uint64_t next = history_.range().next;
    for (const StreamState& stream : streams_) {
        totals.lag_max = std::max(totals.lag_max, stream.lag(next));
    }
    return totals;
}

}  // namespace fanfare
