#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "base/deadlines.h"
#include "fanfare/sink_maker.h"

namespace fanfare::test {

/// One sink with what it needs around it, on a loop that the test turns.
class SinkBench {
  public:
    explicit SinkBench(Clock& clock)
        : deadlines(clock, context.get_executor()),
          sink_context{context.get_executor(), clock, deadlines, metrics} {}

    /// Begins an attempt. It can be cancelled; get its outcome with outcome().
    void begin(std::vector<EventPtr> batch, unsigned number = 1) {
        batch_ = std::move(batch);
        outcome_.reset();
        failure_ = nullptr;
        Attempt attempt;
        attempt.batch = batch_;
        attempt.number = number;
        net::co_spawn(context, deliver(attempt),
                      net::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr e) {
                          failure_ = std::move(e);
                      }));
    }

    /// Turns the loop until the attempt has ended, in real time and for ten seconds at most.
    Outcome finish() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!is_done() && std::chrono::steady_clock::now() < deadline) {
            context.restart();
            context.run_one_until(deadline);
        }
        return outcome();
    }

    /// Ended with an outcome or an exception.
    bool is_done() const { return outcome_ || failure_; }
    void cancel() { cancel_.emit(net::cancellation_type::terminal); }

    Outcome outcome() const {
        if (failure_) std::rethrow_exception(failure_);
        return outcome_.value();
    }

    net::io_context context{1};
    EndpointMetrics metrics;
    Deadlines deadlines;
    SinkContext sink_context;
    std::unique_ptr<Sink> sink;

  private:
    awaitable<void> deliver(Attempt attempt) { outcome_ = co_await sink->deliver(attempt); }

    std::vector<EventPtr> batch_;
    net::cancellation_signal cancel_;
    std::exception_ptr failure_;
    std::optional<Outcome> outcome_;
};

}  // namespace fanfare::test
