#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "fanfare/dead_letters.h"
#include "fanfare/queue.h"
#include "fanfare/retry.h"
#include "fanfare/sink.h"
#include "sim/random.h"

namespace fanfare::sim {

/// A part of the daemon that is broken on purpose, to see that the simulation finds it.
enum class Sabotage : std::uint8_t {
    none,
    queue_loses,   ///< an event now and then
    queue_swaps,   ///< two events now and then
    sink_repeats,  ///< takes a success for a failure now and then
    breaker_naps,  ///< holds attempts back for longer than it should
    breaker_hurries,
    clock_steps,  ///< the steady clock follows the wall clock
    letters_lost,
    store_forgets,  ///< what it said is stored, until the next commit
};
inline constexpr std::array<std::string_view, 9> sabotage_names = {
    "none",         "queue_loses",  "queue_swaps",
    "sink_repeats", "breaker_naps", "breaker_hurries",
    "clock_steps",  "letters_lost", "store_forgets"};

std::unique_ptr<Queue> broken_queue(std::unique_ptr<Queue> queue, Sabotage how, Random& random);
std::unique_ptr<Sink> repeating_sink(std::unique_ptr<Sink> sink, Random& random);
/// Waits for `factor` times as long.
std::unique_ptr<RetryStrategy> broken_breaker(const RetryPolicy& policy, double factor);
/// Now and then it loses what it is given; else it goes to `next`.
std::unique_ptr<DeadLetterBox> losing_box(DeadLetterBox& next, Random& random);

/// A steady clock that follows the wall clock.
class SteppingClock final : public Clock {
  public:
    explicit SteppingClock(Clock& clock)
        : clock_(clock), began_(clock.now()), wall_began_(clock.wall()) {}

    TimePoint now() const noexcept override { return began_ + (clock_.wall() - wall_began_); }
    WallTime wall() const noexcept override { return clock_.wall(); }
    std::unique_ptr<Alarm> make_alarm(const Executor& executor) override;

  private:
    class Bent;

    Clock& clock_;
    const TimePoint began_;
    const WallTime wall_began_;
};

}  // namespace fanfare::sim
