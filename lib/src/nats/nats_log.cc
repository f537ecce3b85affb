#include "nats/nats_log.h"

#include <boost/asio/post.hpp>
#include <set>

#include "base/crc32c.h"
#include "fleet/name_token.h"
#include "nats/entry_codec.h"
#include "nats/nats_consumer.h"
#include "nats/nats_log_impl.h"

namespace fanfare {

namespace {

constexpr Duration log_retry_delay = std::chrono::seconds(1);

}  // namespace

unsigned partition_of(std::string_view key) noexcept { return crc32c(key) % log_partitions; }

NatsLog::Impl::Impl(NatsConnection& connection, NatsLogOptions options)
    : connection_(connection),
      api_(connection),
      stream_(options.stream),
      first_places_(options.first_places),
      places_missing_(static_cast<int>(options.first_places)),
      options_(std::make_shared<const NatsLogOptions>(std::move(options))),
      look_alarm_(connection.clock().make_alarm(connection.executor())),
      clean_alarm_(connection.clock().make_alarm(connection.executor())),
      janitor_(std::make_shared<Janitor>(api_, stream_)) {}

void NatsLog::Impl::start() {
    watch_ = connection_.watch([weak = weak_from_this()](bool is_connected) {
        if (const auto self = weak.lock()) self->set_connected(is_connected);
    });
    connection_.sync([this] { clean_later(); });
}

void NatsLog::Impl::close() {
    is_closed_ = true;
    connection_.unwatch(watch_);
    look_alarm_.reset();
    clean_alarm_.reset();
    if (reader_) reader_->close();
    reader_.reset();
}

std::string NatsLog::Impl::subject(unsigned partition) const {
    return stream_ + ".events." + std::to_string(partition % log_partitions);
}

std::shared_ptr<const NatsLogOptions> NatsLog::Impl::options() const {
    const std::lock_guard lock(mutex_);
    return options_;
}

void NatsLog::Impl::change(NatsLogOptions options) {
    {
        options.stream = stream_;
        auto shared = std::make_shared<const NatsLogOptions>(std::move(options));
        const std::lock_guard lock(mutex_);
        options_ = std::move(shared);
    }
    net::post(connection_.executor(), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && !self->is_closed_ && self->connection_.is_connected()) self->ensure();
    });
}

// The stream ---------------------------------------------------------------------------------

void NatsLog::Impl::set_connected(bool is_connected) {
    if (is_closed_) return;
    is_ready_ = false;
    look_alarm_->clear();
    if (is_connected) ensure();
}

void NatsLog::Impl::ensure() {
    const std::shared_ptr<const NatsLogOptions> options = this->options();
    const JsStreamConfig config{.name = stream_,
                                .subjects = {all_subjects()},
                                .discard_new = true,
                                .replicas = options->replicas,
                                .bytes_max = options->bytes_max,
                                .age_max = options->age_max,
                                .duplicate_window = options->duplicate_window};
    api_.ensure_stream(config, [weak = weak_from_this()](const JsResult<JsStreamInfo>& info) {
        const auto self = weak.lock();
        if (self && !self->is_closed_) self->ensured(info);
    });
}

void NatsLog::Impl::ensured(const JsResult<JsStreamInfo>& info) {
    if (!connection_.is_connected()) return;
    if (info) {
        if (!is_ready_) connection_.log().info("nats", "stream is there", {{"stream", stream_}});
        if (std::exchange(stream_id_, info->created) != info->created) {
            ++epoch_;
            highest_seq_ = reused_first_ = reused_last_ = 0;
        }
        is_ready_ = true;
        last_problem_.clear();
        note(*info);
        look_alarm_->set(connection_.clock().now() + options()->look_interval, [this] { look(); });
        return;
    }
    if (info.error().text() != last_problem_) {
        last_problem_ = info.error().text();
        const std::shared_ptr<const NatsLogOptions> options = this->options();
        connection_.log().warn("nats", "cannot make or change the stream, will retry",
                               {{"stream", stream_},
                                {"error", last_problem_},
                                {"replicas", options->replicas},
                                {"max_bytes", options->bytes_max}});
    }
    look_alarm_->set(connection_.clock().now() + log_retry_delay, [this] { ensure(); });
}

void NatsLog::Impl::look() {
    api_.stream_info(stream_, [weak = weak_from_this()](const JsResult<JsStreamInfo>& info) {
        const auto self = weak.lock();
        if (!self || self->is_closed_ || !self->connection_.is_connected()) return;
        if (!info && info.error().is_not_found()) {
            self->is_ready_ = false;
            return self->ensure();
        }
        // Somebody else may have made it anew.
        if (info && info->created != self->stream_id_) return self->ensured(info);
        if (info) self->note(*info);
        self->look_alarm_->set(self->connection_.clock().now() + self->options()->look_interval,
                               [impl = self.get()] { impl->look(); });
    });
}

void NatsLog::Impl::note(const JsStreamInfo& info) {
    knows(info.last_seq);
    const std::lock_guard lock(mutex_);
    figures_.first_seq = info.messages == 0 ? 0 : info.first_seq;
    figures_.last_seq = info.last_seq;
    figures_.events = info.messages;
    figures_.bytes = info.bytes;
}

void NatsLog::Impl::clean_later() {
    const Duration interval = options()->purge_interval;
    // Otherwise all processes of a fleet would do it at once.
    const std::int64_t jitter_max = std::max<std::int64_t>(1, interval.count() / 4);
    std::uniform_int_distribution<std::int64_t> jitter(0, jitter_max);
    clean_alarm_->set(connection_.clock().now() + interval + Duration(jitter(random_)),
                      [this] { clean(); });
}

void NatsLog::Impl::clean() {
    if (!is_ready_) return clean_later();
    const std::shared_ptr<const NatsLogOptions> options = this->options();
    janitor_->run({options->history_records, options->bytes_max}, [weak = weak_from_this()](bool) {
        const auto self = weak.lock();
        if (self && !self->is_closed_) self->clean_later();
    });
}

// Figures ------------------------------------------------------------------------------------

SharedLogFigures NatsLog::Impl::figures() const {
    SharedLogFigures figures;
    {
        const std::lock_guard lock(mutex_);
        figures = figures_;
    }
    figures.is_connected = connection_.is_connected();
    figures.is_ready = figures.is_connected && is_ready_ && (is_open_ || places_missing_ <= 0);
    figures.connects = connection_.connects();
    figures.waiting = waiting_;
    figures.server = connection_.server();
    return figures;
}

/// The first ones are missing from the beginning.
void NatsLog::Impl::place_is_missing() noexcept {
    if (places_started_++ >= first_places_) ++places_missing_;
}

// Reading, and places ------------------------------------------------------------------------

void NatsLog::Impl::follow(std::size_t records,
                           std::function<void(const std::string& id, std::uint64_t next)> on_start,
                           OnEntry on_entry) {
    const OrderedReader::Options options{.stream = stream_,
                                         .filter = all_subjects(),
                                         .believed_after = this->options()->believed_after};
    const auto on_stream = [records, on_start = std::move(on_start)](const JsStreamInfo& info) {
        std::uint64_t next = info.last_seq + 1;
        next = next > records ? next - records : 1;
        next = std::max(next, info.messages == 0 ? info.last_seq + 1 : info.first_seq);
        on_start(info.created, next);
        return next;
    };
    const auto on_message = [this, on_entry = std::move(on_entry)](std::uint64_t seq,
                                                                   const NatsMessage& message) {
        knows(seq);
        on_entry(seq, entry_of(message));
    };
    reader_ = OrderedReader::make(api_, options, {on_stream, on_message});
    reader_->start();
}

void NatsLog::Impl::forget(const std::string& endpoint, std::function<void(bool)> on_done) {
    struct State {
        unsigned missing = log_partitions + 1;
        bool is_done = true;
        std::function<void(bool)> on_done;
    };
    const auto state = std::make_shared<State>();
    state->on_done = std::move(on_done);
    const auto on_deleted = [state](const JsResult<bool>& result) {
        state->is_done = state->is_done && result.has_value();
        if (--state->missing == 0 && state->on_done) state->on_done(state->is_done);
    };
    const std::string token = name_token(endpoint);
    api_.delete_consumer(stream_, token, on_deleted);
    for (unsigned i = 0; i < log_partitions; ++i) {
        api_.delete_consumer(stream_, token + "_p" + std::to_string(i), on_deleted);
    }
}

void NatsLog::Impl::places(std::function<void(std::optional<std::vector<std::string>>)> on_done) {
    const auto on_list = [on_done = std::move(on_done)](const JsResult<JsConsumers>& consumers) {
        if (!consumers || !consumers->silent.empty()) return on_done(std::nullopt);
        std::set<std::string> names;
        for (const JsConsumerInfo& consumer : consumers->known) {
            // A place is described by its endpoint's name; others may have consumers, too.
            const std::string& name = consumer.description;
            const std::string token = name_token(name);
            const bool is_place = consumer.name == token || consumer.name.starts_with(token + "_p");
            if (!name.empty() && consumer.is_acknowledged && is_place) names.insert(name);
        }
        on_done(std::vector<std::string>(names.begin(), names.end()));
    };
    api_.consumers(stream_, on_list);
}

NatsLog::NatsLog(NatsConnection& connection, NatsLogOptions options)
    : impl_(std::make_shared<Impl>(connection, std::move(options))) {
    impl_->start();
}

NatsLog::~NatsLog() {
    impl_->api().connection().sync([this] { impl_->close(); });
}

bool NatsLog::append(std::vector<LogEntry> entries, OnPublished on_published) {
    return impl_->append(std::move(entries), std::move(on_published));
}

std::unique_ptr<SharedConsumer> NatsLog::consumer(ConsumerOptions options) {
    const std::shared_ptr<const NatsLogOptions> log = impl_->options();
    NatsConsumer::Options made{.endpoint = std::move(options),
                               .stream = impl_->stream(),
                               .all_subjects = impl_->all_subjects(),
                               .ack_wait = log->ack_wait,
                               .working_interval = log->working_interval,
                               .pull_expiry = log->pull_expiry,
                               .pull_heartbeat = log->pull_heartbeat,
                               .look_interval = log->look_interval,
                               .stream_id = nullptr,
                               .on_seq = nullptr,
                               .on_missing = nullptr,
                               .on_there = nullptr};
    made.stream_id = [impl = impl_] { return impl->stream_id(); };
    made.on_seq = [impl = impl_](std::uint64_t seq) { impl->knows(seq); };
    made.on_missing = [impl = impl_] { impl->place_is_missing(); };
    made.on_there = [impl = impl_] { impl->place_is_there(); };
    return std::make_unique<NatsConsumer>(impl_->api(), std::move(made));
}

void NatsLog::follow(std::size_t records,
                     std::function<void(const std::string& id, std::uint64_t next)> on_start,
                     OnEntry on_entry) {
    impl_->api().connection().sync(
        [&] { impl_->follow(records, std::move(on_start), std::move(on_entry)); });
}

SharedLogFigures NatsLog::figures() const { return impl_->figures(); }
void NatsLog::change(NatsLogOptions options) { impl_->change(std::move(options)); }

void NatsLog::forget(const std::string& endpoint, std::function<void(bool)> on_done) {
    impl_->forget(endpoint, std::move(on_done));
}

void NatsLog::places(std::function<void(std::optional<std::vector<std::string>>)> on_done) {
    impl_->places(std::move(on_done));
}

}  // namespace fanfare
