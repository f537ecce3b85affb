#include "nats/janitor.h"

#include <algorithm>

namespace fanfare {

void Janitor::run(const Keep& keep, std::function<void(bool)> on_done) {
    keep_ = keep;
    on_done_ = std::move(on_done);
    connects_ = api_.connection().connects();
    floors_.clear();
    api_.stream_info(stream_, [self = shared_from_this()](const JsResult<JsStreamInfo>& info) {
        self->look_at_stream(info);
    });
}

bool Janitor::is_disturbed() const {
    return !api_.connection().is_connected() || api_.connection().connects() != connects_;
}

void Janitor::finish(bool is_done) {
    const auto on_done = std::exchange(on_done_, nullptr);
    if (on_done) on_done(is_done);
}

void Janitor::look_at_stream(const JsResult<JsStreamInfo>& info) {
    if (!info || is_disturbed()) return finish(false);
    first_seq_ = info->first_seq;
    last_seq_ = info->last_seq;
    std::uint64_t records = keep_.records;
    if (keep_.bytes_max != 0 && info->bytes > keep_.bytes_max / 2) {
        const double part =
            static_cast<double>(keep_.bytes_max) / 4 / static_cast<double>(info->bytes);
        records = std::min(records,
                           static_cast<std::uint64_t>(static_cast<double>(info->messages) * part));
    }
    goal_ = last_seq_ > records ? last_seq_ - records : 0;
    if (info->messages == 0 || goal_ < first_seq_) return finish(true);
    api_.consumers(stream_, [self = shared_from_this()](const JsResult<JsConsumers>& consumers) {
        self->look_at_consumers(consumers);
    });
}

void Janitor::look_at_consumers(const JsResult<JsConsumers>& consumers) {
    if (!consumers || !consumers->silent.empty() || is_disturbed()) return finish(false);
    for (const JsConsumerInfo& consumer : consumers->known) {
        if (!consumer.is_acknowledged || consumer.ack_floor >= goal_) continue;
        if (consumer.ack_pending != 0) {
            goal_ = consumer.ack_floor;
            continue;
        }
        const auto [place, is_new] = floors_.emplace(consumer.filter, consumer.ack_floor);
        if (!is_new) place->second = std::min(place->second, consumer.ack_floor);
    }
    look_at_next();
}

void Janitor::look_at_next() {
    while (!floors_.empty() && floors_.begin()->second >= goal_) floors_.erase(floors_.begin());
    if (goal_ < first_seq_) return finish(true);
    if (floors_.empty()) return purge();
    const std::string filter = floors_.begin()->first;
    // The last one of a subject is found at once, but the next one only by going through all that
    // lies between. If it gets everything, it is the other way round.
    JsWhich which;
    if (filter.find('*') == std::string::npos) {
        which.last_of = filter;
    } else {
        which.seq = floors_.begin()->second + 1;
        which.next_of = filter;
    }
    api_.get(stream_, which, [self = shared_from_this(), filter](const JsResult<JsStored>& found) {
        self->look_at_found(filter, found);
    });
}

void Janitor::look_at_found(const std::string& filter, const JsResult<JsStored>& found) {
    if (is_disturbed() || (!found && !found.error().is_not_found())) return finish(false);
    const auto floor = floors_.find(filter);
    if (found && found->seq > floor->second) goal_ = std::min(goal_, floor->second);
    floors_.erase(floor);
    look_at_next();
}

void Janitor::purge() {
    const JsPurge what{.below_seq = goal_ + 1, .subject = {}};
    api_.purge(stream_, what, [self = shared_from_this()](const JsResult<std::uint64_t>& gone) {
        self->finish(gone.has_value());
    });
}

}  // namespace fanfare
