#include "runtime/overflow_log.h"

#include <utility>

namespace fanfare {

OverflowLog::OverflowLog(std::string endpoint, Log& log, Clock& clock, Executor executor)
    : endpoint_(std::move(endpoint)), log_(log), clock_(clock), executor_(std::move(executor)) {}

void OverflowLog::dropped(Batch batch) {
    events_ += batch.size();
    for (const EventPtr& event : batch) bytes_ += event->payload().size();
    if (!is_waiting_) tell();
}

void OverflowLog::tell() {
    is_waiting_ = events_ > 0;
    if (!is_waiting_) return;
    if (!alarm_) alarm_ = clock_.make_alarm(executor_);
    alarm_->set(clock_.now() + interval, [this] { tell(); });
    log_.error("endpoint", "events dropped",
               {{"endpoint", endpoint_},
                {"reason", to_string(DropReason::overflow)},
                {"events", std::exchange(events_, 0)},
                {"bytes", std::exchange(bytes_, 0)}});
}

void OverflowLog::finish() {
    tell();
    alarm_.reset();
}

}  // namespace fanfare
