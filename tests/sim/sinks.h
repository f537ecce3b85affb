#pragma once

#include <memory>

#include "fanfare/sink.h"
#include "sim/ledger.h"
#include "sim/receiver.h"

namespace fanfare::sim {

/// The shortest way to a receiver.
class DirectSink final : public Sink {
  public:
    struct Options {
        Receiver& receiver;
        Clock& clock;
        Random& random;
        Duration timeout;
        bool may_throw;
    };

    explicit DirectSink(const Options& options) : options_(options) {}

    awaitable<Outcome> deliver(Attempt attempt) override;

  private:
    const Options options_;
};

/// Tells a ledger of every attempt that another sink makes, and of what came of it.
class WatchedSink final : public Sink {
  public:
    WatchedSink(std::unique_ptr<Sink> next, Ledger& ledger)
        : next_(std::move(next)), ledger_(ledger) {}

    awaitable<Outcome> deliver(Attempt attempt) override;

  private:
    std::unique_ptr<Sink> next_;
    Ledger& ledger_;
};

/// A plan's filter, which tells a ledger what it was asked.
class WatchedFilter final : public Filter {
  public:
    WatchedFilter(Plan plan, Ledger* ledger) : plan_(std::move(plan)), ledger_(ledger) {}

    bool wants(const Event& event) const noexcept override {
        const bool is_wanted = plan_.wants(event.action());
        if (ledger_ != nullptr) ledger_->asked(event, is_wanted);
        return is_wanted;
    }

  private:
    const Plan plan_;
    Ledger* const ledger_;  // null: nobody wants to know
};

}  // namespace fanfare::sim
