#include "nats/other_form.h"

#include <algorithm>
#include <utility>

namespace fanfare {

void OtherForm::look(OnFound on_found) {
    on_found_ = std::move(on_found);
    found_ = {};
    left_.clear();
    api_.stream_info(stream_, [self = shared_from_this()](const JsResult<JsStreamInfo>& info) {
        if (!info) return self->finish(std::nullopt);
        self->found_.last_seq = info->last_seq;
        self->api_.consumers(self->stream_, [self](const JsResult<JsConsumers>& consumers) {
            if (!consumers) return self->finish(std::nullopt);
            self->look_at_consumers(*consumers);
        });
    });
}

bool OtherForm::has(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
}

void OtherForm::look_at_consumers(const JsConsumers& consumers) {
    const auto is_silent = [this](const std::string& name) { return has(name); };
    if (std::ranges::any_of(consumers.silent, is_silent)) return finish(std::nullopt);
    for (const JsConsumerInfo& consumer : consumers.known) {
        if (!has(consumer.name)) continue;
        found_.is_there = true;
        found_.is_used = found_.is_used || consumer.waiting > 0;
        left_.push_back(consumer);
    }
    look_at_next();
}

/// As the janitor does: one that has nothing under way, and for which nothing lies behind its ack
/// floor, is done with all that was there.
void OtherForm::look_at_next() {
    if (left_.empty()) return finish(found_);
    const JsConsumerInfo consumer = std::move(left_.back());
    left_.pop_back();
    if (consumer.ack_pending != 0) {
        begin_at(consumer.ack_floor + 1);
        return look_at_next();
    }
    const JsWhich next{.seq = consumer.ack_floor + 1, .next_of = consumer.filter};
    api_.get(stream_, next, [self = shared_from_this()](const auto& found) {
        if (!found && !found.error().is_not_found()) return self->finish(std::nullopt);
        self->begin_at(found ? found->seq : self->found_.last_seq + 1);
        self->look_at_next();
    });
}

void OtherForm::begin_at(std::uint64_t seq) {
    found_.first_seq = found_.first_seq == 0 ? seq : std::min(found_.first_seq, seq);
}

void OtherForm::finish(std::optional<Found> found) {
    const OnFound on_found = std::exchange(on_found_, nullptr);
    if (on_found) on_found(found);
}

void OtherForm::remove() {
    for (const std::string& name : names_) {
        api_.delete_consumer(stream_, name, [](const JsResult<bool>&) {});
    }
}

}  // namespace fanfare
