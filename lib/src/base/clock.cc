#include "fanfare/clock.h"

#include <boost/asio/steady_timer.hpp>

namespace fanfare {
namespace {

class SteadyAlarm final : public Alarm {
  public:
    explicit SteadyAlarm(const Executor& executor) : timer_(executor) {}

    void set(TimePoint at, std::function<void()> callback) override {
        const std::uint64_t turn = ++*turn_;
        timer_.expires_at(at);
        // A timer that has expired cannot be cancelled any more, so each handler checks that it is
        // still the one that counts.
        timer_.async_wait([turn, current = turn_, callback = std::move(callback)](auto error) {
            if (!error && turn == *current) callback();
        });
    }

    void clear() noexcept override {
        ++*turn_;
        timer_.cancel();
    }

    ~SteadyAlarm() override { ++*turn_; }

  private:
    net::steady_timer timer_;
    std::shared_ptr<std::uint64_t> turn_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace

TimePoint SteadyClock::now() const noexcept { return std::chrono::steady_clock::now(); }

WallTime SteadyClock::wall() const noexcept { return std::chrono::system_clock::now(); }

std::unique_ptr<Alarm> SteadyClock::make_alarm(const Executor& executor) {
    return std::make_unique<SteadyAlarm>(executor);
}

}  // namespace fanfare
