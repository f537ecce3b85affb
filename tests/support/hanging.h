#pragma once

#include <deque>
#include <memory>

#include "base/wakeup.h"
#include "support/pipeline.h"

namespace fanfare::test {

/// A receiver whose answers come when the test gives them, to the attempt that began first.
class Hanging {
  public:
    explicit Hanging(Pipeline& pipeline) : pipeline_(pipeline) {}

    SinkMaker maker() {
        return [this](const SinkContext&) { return std::make_unique<HangingSink>(*this); };
    }

    std::size_t under_way() const { return attempts_.size(); }

    void answer(Outcome outcome) {
        attempts_.front()->outcome = outcome;
        attempts_.front()->answered.notify();
        attempts_.pop_front();
        pipeline_.poll();
    }

  private:
    struct Waiting {
        explicit Waiting(Executor executor) : answered(std::move(executor)) {}
        Wakeup answered;
        Outcome outcome = Outcome::aborted();
    };

    class HangingSink final : public Sink {
      public:
        explicit HangingSink(Hanging& owner) : owner_(owner) {}
        awaitable<Outcome> deliver(Attempt) override {
            const auto waiting = std::make_shared<Waiting>(owner_.pipeline_.context.get_executor());
            owner_.attempts_.push_back(waiting);
            co_await waiting->answered.wait();
            co_return waiting->outcome;
        }

      private:
        Hanging& owner_;
    };

    Pipeline& pipeline_;
    std::deque<std::shared_ptr<Waiting>> attempts_;
};

}  // namespace fanfare::test
