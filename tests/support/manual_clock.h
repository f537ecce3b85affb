#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <memory>

#include "fanfare/clock.h"

namespace fanfare::test {

/// A clock that moves only when told to. Alarms that fall due are posted to their executor.
class ManualClock final : public Clock {
  public:
    TimePoint now() const noexcept override { return now_; }
    WallTime wall() const noexcept override { return wall_ + (now_ - TimePoint{}); }

    std::unique_ptr<Alarm> make_alarm(const Executor& executor) override {
        return std::make_unique<ManualAlarm>(*this, executor);
    }

    /// Moves on by `step`, ringing what falls due in order; `context` runs after each ring, as it
    /// would between two timers in real life.
    void advance(Duration step, net::io_context& context) {
        const TimePoint end = now_ + step;
        poll(context);
        while (!alarms_.empty() && alarms_.begin()->first <= end) {
            now_ = std::max(now_, alarms_.begin()->first);
            ring();
            poll(context);
        }
        now_ = end;
        poll(context);
    }

    /// Steps the wall clock alone, as an administrator would.
    void step_wall(Duration step) { wall_ += std::chrono::duration_cast<WallTime::duration>(step); }

    /// Alarms that are set.
    std::size_t alarm_count() const { return alarms_.size(); }

    static void poll(net::io_context& context) {
        context.restart();
        context.poll();
    }

  private:
    struct Ring {
        Executor executor;
        std::function<void()> callback;
        std::shared_ptr<bool> is_current;
    };
    using Alarms = std::multimap<TimePoint, Ring>;

    class ManualAlarm final : public Alarm {
      public:
        ManualAlarm(ManualClock& clock, Executor executor)
            : clock_(clock), executor_(std::move(executor)) {}
        ~ManualAlarm() override { clear(); }

        void set(TimePoint at, std::function<void()> callback) override {
            clear();
            is_current_ = std::make_shared<bool>(true);
            Ring ring{executor_, std::move(callback), is_current_};
            if (at <= clock_.now_) {
                post(std::move(ring));
            } else {
                clock_.alarms_.emplace(at, std::move(ring));
            }
        }

        void clear() noexcept override {
            if (is_current_) *is_current_ = false;
            is_current_.reset();
            std::erase_if(clock_.alarms_,
                          [](const auto& entry) { return !*entry.second.is_current; });
        }

      private:
        ManualClock& clock_;
        Executor executor_;
        std::shared_ptr<bool> is_current_;
    };

    static void post(Ring ring) {
        net::post(ring.executor, [ring] {
            if (*ring.is_current) ring.callback();
        });
    }

    void ring() {
        Ring due = std::move(alarms_.begin()->second);
        alarms_.erase(alarms_.begin());
        post(std::move(due));
    }

    TimePoint now_ = TimePoint{} + std::chrono::hours(1000);
    WallTime wall_{std::chrono::seconds(1'700'000'000)};
    Alarms alarms_;
};

}  // namespace fanfare::test
