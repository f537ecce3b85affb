#include "sim/sinks.h"

#include <stdexcept>

#include "base/wakeup.h"
#include "fanfare/retry.h"

namespace fanfare::sim {
namespace {

Outcome outcome_of(const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::reset:
            return Outcome::retry(Reason::reset);
        case Reply::Kind::garbage:
            return Outcome::retry(Reason::protocol);
        case Reply::Kind::silence:
            return Outcome::retry(Reason::timeout);
        case Reply::Kind::answer:
            break;
    }
    if (reply.status >= 200 && reply.status < 300) return Outcome::delivered(reply.status);
    return Outcome::refused(reply.status, reply.retry_after.value_or(Duration::zero()));
}

}  // namespace

awaitable<Outcome> DirectSink::deliver(Attempt attempt) {
    const TimePoint began = options_.clock.now();
    const std::optional<bool> is_open = options_.receiver.takes_connection();
    if (!is_open) {
        co_await wait_until(options_.clock, began + options_.timeout);
        co_return Outcome::retry(Reason::timeout);
    }
    if (!*is_open) co_return Outcome::retry(Reason::connect);
    if (options_.may_throw && options_.random.one_in(50)) throw std::runtime_error("on purpose");
    std::vector<std::string> ids;
    for (const EventPtr& event : attempt.batch) ids.emplace_back(event->id());
    Reply reply = options_.receiver.reply(ids, options_.timeout);
    if (reply.delay >= options_.timeout) reply.kind = Reply::Kind::silence;
    if (reply.kind == Reply::Kind::silence) reply.delay = options_.timeout;
    if (reply.delay > Duration::zero()) {
        co_await wait_until(options_.clock, began + reply.delay);
    }
    co_return outcome_of(reply);
}

awaitable<Outcome> WatchedSink::deliver(Attempt attempt) {
    ledger_.began(attempt);
    Outcome outcome = Outcome::aborted();
    try {
        outcome = co_await deliver_once(*next_, attempt);
    } catch (...) {
        ledger_.ended(attempt, Outcome::aborted());
        throw;
    }
    ledger_.ended(attempt, outcome);
    co_return outcome;
}

}  // namespace fanfare::sim
