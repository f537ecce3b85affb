#include "runtime/drop_log.h"

#include <utility>

namespace fanfare {

DropLog::DropLog(Subject subject, Log& log, Clock& clock, Executor executor)
    : subject_(std::move(subject)), log_(log), clock_(clock), executor_(std::move(executor)) {}

void DropLog::dropped(Batch batch, std::string error) {
    events_ += batch.size();
    for (const EventPtr& event : batch) bytes_ += event->payload().size();
    error_ = std::move(error);
    if (!is_waiting_) tell();
}

void DropLog::tell() {
    is_waiting_ = false;
    if (events_ == 0) return;
    if (!alarm_) alarm_ = clock_.make_alarm(executor_);
    alarm_->set(clock_.now() + interval, [this] { tell(); });
    is_waiting_ = true;
    const std::uint64_t events = std::exchange(events_, 0);
    const std::uint64_t bytes = std::exchange(bytes_, 0);
    const LogField endpoint("endpoint", subject_.endpoint);
    const LogField reason("reason", to_string(subject_.reason));
    if (error_.empty()) {
        log_.error("endpoint", "events dropped",
                   {endpoint, reason, {"events", events}, {"bytes", bytes}});
    } else {
        log_.error("endpoint", "events dropped",
                   {endpoint, reason, {"events", events}, {"bytes", bytes}, {"error", error_}});
    }
}

void DropLog::finish() {
    tell();
    alarm_.reset();
}

}  // namespace fanfare
