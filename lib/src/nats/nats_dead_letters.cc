#include "nats/nats_dead_letters.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "base/run_on.h"
#include "fleet/name_token.h"
#include "nats/entry_codec.h"
#include "nats/letter_codec.h"
#include "nats/nats_dead_letters_impl.h"

namespace fanfare {

NatsDeadLetters::NatsDeadLetters(NatsConnection& connection, Options options)
    : impl_(std::make_shared<Impl>(connection, std::move(options))) {}

NatsDeadLetters::~NatsDeadLetters() { impl_->close(); }

void NatsDeadLetters::start() { impl_->start(); }

void NatsDeadLetters::put(DeadLetter letter) noexcept { impl_->put(std::move(letter)); }

void NatsDeadLetters::discard(std::span<const std::int64_t> letters) noexcept {
    impl_->discard(letters);
}

void NatsDeadLetters::keep(std::span<const std::int64_t> letters) noexcept { impl_->keep(letters); }

bool NatsDeadLetters::begin_replay(std::int64_t letter) { return impl_->begin_replay(letter); }

DeadLetterCounts NatsDeadLetters::counts() const noexcept { return impl_->counts(); }

awaitable<Result<std::vector<StoredLetter>>> NatsDeadLetters::read(LetterRange range) {
    return run_on(impl_->executor(), Impl::read(impl_, std::move(range)));
}

awaitable<Result<std::int64_t>> NatsDeadLetters::last_id() {
    return run_on(impl_->executor(), Impl::last_id(impl_));
}

awaitable<Result<std::uint64_t>> NatsDeadLetters::purge(LetterFilter filter) {
    return run_on(impl_->executor(), Impl::purge(impl_, std::move(filter)));
}

awaitable<std::size_t> NatsDeadLetters::flush(Duration limit) { return impl_->flush(limit); }

NatsDeadLetters::Impl::Impl(NatsConnection& connection, Options options)
    : connection_(connection),
      options_(std::move(options)),
      stream_(options_.stream + "_dead"),
      js_(connection) {}

std::string NatsDeadLetters::Impl::subject_of(const std::string& endpoint) const {
    return options_.stream + ".dead." + name_token(endpoint);
}

std::string NatsDeadLetters::Impl::all_subjects() const { return options_.stream + ".dead.*"; }

void NatsDeadLetters::Impl::start() {
    net::post(executor(), [self = shared_from_this()] { self->begin(); });
}

void NatsDeadLetters::Impl::begin() {
    if (is_closed_) return;
    again_ = connection_.clock().make_alarm(executor());
    look_again_ = connection_.clock().make_alarm(executor());
    const std::weak_ptr<Impl> weak = weak_from_this();
    watch_ = connection_.watch([weak](bool is_connected) {
        if (const auto self = weak.lock()) self->state_changed(is_connected);
    });
}

void NatsDeadLetters::Impl::close() {
    connection_.sync([this] {
        is_closed_ = true;
        is_ready_ = false;
        if (watch_ != 0) connection_.unwatch(watch_);
        again_.reset();
        look_again_.reset();
    });
}

void NatsDeadLetters::Impl::state_changed(bool is_connected) {
    is_connected_ = is_connected;
    is_ready_ = false;
    if (is_closed_ || !is_connected) return;
    ensure_stream();
}

void NatsDeadLetters::Impl::ensure_stream() {
    if (is_closed_ || is_making_ || !is_connected_) return;
    is_making_ = true;
    JsStreamConfig config;
    config.name = stream_;
    config.subjects = {all_subjects()};
    config.replicas = options_.replicas;
    config.bytes_max = options_.bytes_max;
    js_.ensure_stream(config, [self = shared_from_this()](const JsResult<JsStreamInfo>& result) {
        self->stream_is_there(result);
    });
}

void NatsDeadLetters::Impl::stream_is_there(const JsResult<JsStreamInfo>& result) {
    is_making_ = false;
    if (is_closed_) return;
    if (result.has_error()) {
        tell_trouble(result.error().text());
        return try_later();
    }
    is_ready_ = is_connected_;
    note(*result);
    look_again_->set(connection_.clock().now() + options_.look_interval, [this] { look(); });
    pump();
}

/// How much there is, with what other processes have put and the stream has evicted.
void NatsDeadLetters::Impl::look() {
    if (!is_ready_) return;
    js_.stream_info(stream_, [self = shared_from_this()](const JsResult<JsStreamInfo>& result) {
        if (self->is_closed_) return;
        if (result.has_value()) self->note(*result);
        self->tell_lost();
        self->look_again_->set(self->connection_.clock().now() + self->options_.look_interval,
                               [impl = self.get()] { impl->look(); });
        if (result.has_error() && result.error().is_not_found()) self->ensure_stream();
    });
}

void NatsDeadLetters::Impl::note(const JsStreamInfo& info) {
    kept_letters_ = info.messages;
    kept_bytes_ = info.bytes;
    tell_fullness();
}

/// What the stream then evicts cannot be told from what is replayed or purged elsewhere.
void NatsDeadLetters::Impl::tell_fullness() {
    const std::uint64_t nearly = options_.bytes_max / 10 * 9;
    const bool was_nearly_full = std::exchange(is_nearly_full_, kept_bytes_ >= nearly);
    if (!is_nearly_full_ || was_nearly_full) return;
    connection_.log().warn("dead_letters", "dead letters are nearly as many as may be kept",
                           {{"stream", stream_},
                            {"bytes", kept_bytes_.load()},
                            {"max_bytes", options_.bytes_max}});
}

void NatsDeadLetters::Impl::tell_trouble(const std::string& problem) {
    const TimePoint now = connection_.clock().now();
    const bool is_known = problem == last_problem_ && now - problem_told_at_ < problem_interval;
    if (is_known) return;
    last_problem_ = problem;
    problem_told_at_ = now;
    connection_.log().warn("dead_letters", "dead letters cannot be stored, will try again",
                           {{"stream", stream_}, {"error", problem}});
}

void NatsDeadLetters::Impl::try_later() {
    if (is_closed_) return;
    again_->set(connection_.clock().now() + retry_interval, [this] {
        if (is_ready_) {
            pump();
        } else {
            ensure_stream();
        }
    });
}

void NatsDeadLetters::Impl::lose(LostReason reason, std::uint64_t letters) noexcept {
    lost_.at(static_cast<std::size_t>(reason)) += letters;
}

/// At most one line per reason and look.
void NatsDeadLetters::Impl::tell_lost() {
    const TimePoint now = connection_.clock().now();
    if (told_at_ && now - *told_at_ < log_interval) return;
    for (std::size_t i = 0; i < lost_reasons; ++i) {
        const std::uint64_t lost = lost_.at(i);
        const std::uint64_t before = std::exchange(told_.at(i), lost);
        if (lost == before) continue;
        told_at_ = now;
        connection_.log().warn(
            "dead_letters", "dead letters are lost",
            {{"reason", to_string(static_cast<LostReason>(i))}, {"events", lost - before}});
    }
}

void NatsDeadLetters::Impl::let_go(const DeadLetter& letter) {
    if (letter.on_kept) letter.on_kept(*letter.event);
}

DeadLetterCounts NatsDeadLetters::Impl::counts() const noexcept {
    DeadLetterCounts counts;
    counts.stored = stored_;
    counts.replayed = replayed_;
    counts.purged = purged_;
    for (std::size_t i = 0; i < lost_reasons; ++i) counts.lost.at(i) = lost_.at(i);
    counts.kept = {kept_letters_, kept_bytes_};
    return counts;
}

bool NatsDeadLetters::Impl::begin_replay(std::int64_t letter) {
    const std::lock_guard lock(mutex_);
    return replaying_.insert(letter).second;
}

void NatsDeadLetters::Impl::keep(std::span<const std::int64_t> letters) noexcept {
    const std::lock_guard lock(mutex_);
    for (const std::int64_t letter : letters) replaying_.erase(letter);
}

bool NatsDeadLetters::Impl::is_replaying(std::int64_t letter) const {
    const std::lock_guard lock(mutex_);
    return replaying_.contains(letter);
}

bool NatsDeadLetters::Impl::is_any_replaying() const {
    const std::lock_guard lock(mutex_);
    return !replaying_.empty();
}

std::size_t NatsDeadLetters::Impl::waiting_locked() const noexcept {
    return waiting_.size() + in_flight_ + discarded_.size() + erasing_;
}

/// Somebody who waits for all to be stored.
struct NatsDeadLetters::Impl::Flush {
    explicit Flush(Executor on) : executor(on), done(std::move(on)) {}

    Executor executor;
    Wakeup done;
};

void NatsDeadLetters::Impl::end_flushes() {
    const std::lock_guard lock(mutex_);
    if (waiting_locked() > 0) return;
    for (const std::shared_ptr<Flush>& flush : flushes_) {
        net::post(flush->executor, [flush] { flush->done.notify(); });
    }
    flushes_.clear();
}

awaitable<std::size_t> NatsDeadLetters::Impl::flush(Duration limit) {
    const Executor executor = co_await net::this_coro::executor;
    const auto flush = std::make_shared<Flush>(executor);
    bool has_to_wait = false;
    {
        const std::lock_guard lock(mutex_);
        has_to_wait = waiting_locked() > 0;
        if (has_to_wait) flushes_.push_back(flush);
    }
    Clock& clock = connection_.clock();
    const TimePoint deadline = clock.now() + limit;
    if (has_to_wait) co_await wait_until(clock, deadline, flush->done);
    const std::lock_guard lock(mutex_);
    std::erase(flushes_, flush);
    co_return waiting_locked();
}

}  // namespace fanfare
