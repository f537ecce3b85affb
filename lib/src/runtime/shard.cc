#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/deadlines.h"
#include "base/exceptions.h"
#include "runtime/inbox.h"

namespace fanfare {

Shard::Shard(net::io_context& context, Clock& clock, Log& log)
    : executor_(context.get_executor()),
      clock_(clock),
      log_(log),
      deadlines_(std::make_unique<Deadlines>(clock, executor_)),
      inbox_(std::make_unique<Inbox>(*this)) {}

Shard::~Shard() = default;

Shard::Inbox::Inbox(Shard& shard)
    : shard_(shard),
      retiring_(shard.executor(),
                [this](const std::exception_ptr& exception) {
                    shard_.log().error("shard", "ending an endpoint failed",
                                       {{"error", describe(exception)}});
                }),
      draining_(shard.executor(), [this](const std::exception_ptr& exception) {
          shard_.log().error("shard", "draining failed", {{"error", describe(exception)}});
      }) {}

Shard::Inbox::~Inbox() = default;

void Shard::Inbox::reserve(std::size_t events) {
    const std::lock_guard lock(mutex_);
    const std::size_t needed = arriving_.size() + events;
    if (needed > arriving_.capacity()) {
        arriving_.reserve(std::max(needed, arriving_.capacity() * 2));
    }
}

void Shard::Inbox::push(std::span<const std::shared_ptr<Event>> events) {
    const std::lock_guard lock(mutex_);
    for (const std::shared_ptr<Event>& event : events) arriving_.push_back({event, nullptr, 1});
    wake();
}

void Shard::Inbox::push(Command command, std::size_t events) {
    const std::lock_guard lock(mutex_);
    arriving_.push_back({nullptr, std::make_unique<Command>(std::move(command)), events});
    wake();
}

/// If there is no memory for that, what has arrived waits for the next push().
void Shard::Inbox::wake() noexcept {
    if (is_awake_) return;
    try {
        net::post(shard_.executor(), [this] { dispatch(); });
        is_awake_ = true;
    } catch (...) {
    }
}

void Shard::Inbox::dispatch() {
    for (std::size_t turn = 0; turn < events_per_turn_max;) {
        if (next_ == working_.size() && !refill()) return;
        Item item = std::move(working_[next_++]);
        turn += item.events;
        if (item.event) {
            offer(item.event);
        } else {
            run(*item.command);
        }
    }
    net::post(shard_.executor(), [this] { dispatch(); });
}

/// What one command throws, the making of a sink say, must not stop the shard.
void Shard::Inbox::run(const Command& command) {
    try {
        command();
    } catch (...) {
        shard_.log().error("shard", "command failed",
                           {{"error", describe(std::current_exception())}});
    }
}

/// Takes what has arrived; if there is nothing, the next push() wakes the shard again.
bool Shard::Inbox::refill() {
    working_.clear();
    next_ = 0;
    const std::lock_guard lock(mutex_);
    working_.swap(arriving_);
    if (working_.empty()) is_awake_ = false;
    return !working_.empty();
}

void Shard::Inbox::offer(const EventPtr& event) {
    // No endpoint joins or leaves inside offer(): that takes a command of its own.
    for (const std::shared_ptr<Endpoint>& endpoint : endpoints_) {
        try {
            endpoint->offer(event);
        } catch (...) {
            // offer() has counted the event; at worst nobody was woken for it. A shard goes on.
            shard_.log().error(
                "shard", "offering an event failed",
                {{"endpoint", endpoint->name()}, {"error", describe(std::current_exception())}});
        }
    }
}

void Shard::Inbox::add(std::shared_ptr<Endpoint> endpoint) {
    if (std::find(endpoints_.begin(), endpoints_.end(), endpoint) != endpoints_.end()) return;
    const std::weak_ptr<Endpoint> closing = endpoint;
    endpoint->on_closed([this, closing] {
        push([this, closing] {
            if (const auto closed = closing.lock()) remove(closed, Duration::zero());
        });
    });
    endpoint->start();
    endpoints_.push_back(std::move(endpoint));
}

void Shard::Inbox::remove(const std::shared_ptr<Endpoint>& endpoint, Duration drain) {
    const auto found = std::find(endpoints_.begin(), endpoints_.end(), endpoint);
    if (found == endpoints_.end() || is_draining_) return;
    retiring_.spawn(retire(endpoint, shard_.clock().now() + drain, DropReason::removed));
    endpoints_.erase(found);
}

awaitable<void> Shard::Inbox::retire(std::shared_ptr<Endpoint> endpoint, TimePoint deadline,
                                     DropReason reason) {
    const auto place = leaving_.insert(leaving_.end(), endpoint);
    const std::unique_ptr<Alarm> alarm = shard_.clock().make_alarm(shard_.executor());
    alarm->set(deadline, [&endpoint] { endpoint->abort(); });
    if (reason == DropReason::removed) {
        endpoint->leave();
    } else {
        endpoint->drain();
    }
    co_await endpoint->join(reason);
    shard_.deadlines().clear_if_idle();
    leaving_.erase(place);
}

std::vector<std::pair<std::uint64_t, EndpointSnapshot>> Shard::Inbox::snapshot() const {
    std::vector<std::pair<std::uint64_t, EndpointSnapshot>> all;
    all.reserve(endpoints_.size() + leaving_.size());
    for (const auto& endpoint : endpoints_) {
        all.emplace_back(endpoint->order_, endpoint->snapshot());
    }
    if (is_draining_) return all;
    for (const auto& endpoint : leaving_) {
        all.emplace_back(endpoint->order_, endpoint->snapshot());
    }
    return all;
}

std::vector<std::pair<std::uint64_t, EndpointFate>> Shard::Inbox::fates(std::uint64_t seq) const {
    std::vector<std::pair<std::uint64_t, EndpointFate>> all;
    for (const auto& endpoint : endpoints_) {
        all.emplace_back(endpoint->order_, endpoint->fate(seq));
    }
    return all;
}

void Shard::Inbox::drain(TimePoint deadline, std::function<void()> done) {
    draining_.spawn(drain_all(deadline, std::move(done)));
}

awaitable<void> Shard::Inbox::drain_all(TimePoint deadline, std::function<void()> done) {
    is_draining_ = true;
    try {
        co_await retire_all(deadline);
    } catch (...) {
        shard_.log().error("shard", "draining failed",
                           {{"error", describe(std::current_exception())}});
    }
    done();
}

void Shard::Inbox::cut_off() {
    for (const std::shared_ptr<Endpoint>& endpoint : leaving_) endpoint->abort();
}

awaitable<void> Shard::Inbox::retire_all(TimePoint deadline) {
    const std::unique_ptr<Alarm> alarm = shard_.clock().make_alarm(shard_.executor());
    // Also for those that were removed before and had more time.
    alarm->set(deadline, [this] { cut_off(); });
    for (const std::shared_ptr<Endpoint>& endpoint : endpoints_) {
        retiring_.spawn(retire(endpoint, deadline, DropReason::shutdown));
    }
    co_await retiring_.join();
}

}  // namespace fanfare
