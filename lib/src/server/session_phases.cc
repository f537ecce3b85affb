// What a session may take how long, and how it ends.
#include "server/session.h"

namespace fanfare {

void Session::enter(Phase phase) {
    if (phase == phase_ && phase != Phase::lingering) return;
    phase_ = phase;
    switch (phase) {
        case Phase::handshake:
        case Phase::head:
            return arm(host_.options_.header_timeout);
        case Phase::idle:
            return arm(host_.options_.idle_timeout);
        case Phase::body:
        case Phase::writing:
            return arm(host_.options_.body_timeout);
        case Phase::handling:
        case Phase::streaming:
            return timeout_.disarm();
        case Phase::late:
        case Phase::lingering:
            return arm(host_.is_stopping_ ? linger_timeout_stopping : linger_timeout);
    }
}

void Session::arm(Duration length) { host_.shard_.deadlines().of(length).arm(timeout_); }

void Session::on_timeout() {
    switch (phase_) {
        case Phase::handshake:
            return handshake_.emit(net::cancellation_type::terminal);
        case Phase::head:
        case Phase::body:
            // The read under way goes on and becomes the first one of drain().
            enter(Phase::late);
            host_.tasks_.spawn(answer_late(shared_from_this()));
            return;
        case Phase::idle:
        case Phase::handling:
        case Phase::writing:
        case Phase::streaming:
        case Phase::late:
        case Phase::lingering:
            return stream_->close();
    }
}

/// Whether a read would not have to wait. TLS cannot tell without reading.
bool Session::has_input_waiting() noexcept { return !host_.tls_ && stream_->is_stale(); }

void Session::stop() {
    switch (phase_) {
        case Phase::handshake:
            return handshake_.emit(net::cancellation_type::terminal);
        case Phase::idle:
            if (!has_input_waiting()) stream_->close();
            return;
        case Phase::lingering:
            return enter(Phase::lingering);
        case Phase::streaming:
            return body_->stop();
        case Phase::head:
        case Phase::body:
        case Phase::handling:
        case Phase::writing:
        case Phase::late:
            return;
    }
}

void Session::cut() {
    if (phase_ == Phase::handshake) handshake_.emit(net::cancellation_type::terminal);
    if (stream_) stream_->close();
}

}  // namespace fanfare
