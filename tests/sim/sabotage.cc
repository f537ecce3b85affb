#include "sim/sabotage.h"

#include <utility>

namespace fanfare::sim {
namespace {

class BrokenQueue final : public Queue {
  public:
    BrokenQueue(std::unique_ptr<Queue> queue, Sabotage how, Random& random)
        : queue_(std::move(queue)), how_(how), random_(random) {}

    void push(EventPtr event) override {
        if (how_ == Sabotage::queue_loses && random_.one_in(200)) return;
        queue_->push(std::move(event));
    }
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override {
        return queue_->ready_at(limits);
    }
    Lease lease(const LeaseLimits& limits, TimePoint now) override {
        Lease first = queue_->lease(limits, now);
        if (how_ != Sabotage::queue_swaps || first.is_empty() || !random_.one_in(50)) return first;
        Lease second = queue_->lease(limits, now);
        if (second.is_empty()) return first;
        queue_->settle(std::move(first), Settle::give_back);
        return second;
    }
    TimePoint oldest_waiting() const noexcept override { return queue_->oldest_waiting(); }
    Lease lease_accepted_by(TimePoint time) override { return queue_->lease_accepted_by(time); }
    void settle(Lease lease, Settle how) override { queue_->settle(std::move(lease), how); }
    std::vector<EventPtr> clear() override { return queue_->clear(); }
    void release_held() override { queue_->release_held(); }
    std::size_t pending_events() const noexcept override { return queue_->pending_events(); }
    std::size_t pending_bytes() const noexcept override { return queue_->pending_bytes(); }
    TimePoint oldest_accepted() const noexcept override { return queue_->oldest_accepted(); }

  private:
    std::unique_ptr<Queue> queue_;
    const Sabotage how_;
    Random& random_;
};

class RepeatingSink final : public Sink {
  public:
    RepeatingSink(std::unique_ptr<Sink> sink, Random& random)
        : sink_(std::move(sink)), random_(random) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        const Outcome outcome = co_await sink_->deliver(attempt);
        if (outcome.verdict() != Verdict::delivered || !random_.one_in(200)) co_return outcome;
        co_return Outcome::retry(Reason::reset);
    }

  private:
    std::unique_ptr<Sink> sink_;
    Random& random_;
};

class LosingBox final : public DeadLetterBox {
  public:
    LosingBox(DeadLetterBox& next, Random& random) : next_(next), random_(random) {}

    void put(DeadLetter letter) noexcept override {
        if (!random_.one_in(50)) next_.put(std::move(letter));
    }
    void discard(std::span<const std::int64_t> letters) noexcept override {
        next_.discard(letters);
    }
    void keep(std::span<const std::int64_t> letters) noexcept override { next_.keep(letters); }

  private:
    DeadLetterBox& next_;
    Random& random_;
};

}  // namespace

std::unique_ptr<Queue> broken_queue(std::unique_ptr<Queue> queue, Sabotage how, Random& random) {
    return std::make_unique<BrokenQueue>(std::move(queue), how, random);
}

std::unique_ptr<Sink> repeating_sink(std::unique_ptr<Sink> sink, Random& random) {
    return std::make_unique<RepeatingSink>(std::move(sink), random);
}

std::unique_ptr<RetryStrategy> broken_breaker(const RetryPolicy& policy, double factor) {
    RetryPolicy broken = policy;
    const auto backoff = static_cast<double>(policy.backoff.count());
    broken.backoff = Duration(static_cast<Duration::rep>(backoff * factor));
    return make_strategy(broken);
}

std::unique_ptr<DeadLetterBox> losing_box(DeadLetterBox& next, Random& random) {
    return std::make_unique<LosingBox>(next, random);
}

class SteppingClock::Bent final : public Alarm {
  public:
    Bent(SteppingClock& clock, const Executor& executor)
        : clock_(clock), alarm_(clock.clock_.make_alarm(executor)) {}

    void set(TimePoint at, std::function<void()> callback) override {
        const bool is_never = at == TimePoint::max();
        alarm_->set(is_never ? at : clock_.clock_.now() + (at - clock_.now()), std::move(callback));
    }
    void clear() noexcept override { alarm_->clear(); }

  private:
    SteppingClock& clock_;
    std::unique_ptr<Alarm> alarm_;
};

std::unique_ptr<Alarm> SteppingClock::make_alarm(const Executor& executor) {
    return std::make_unique<Bent>(*this, executor);
}

}  // namespace fanfare::sim
