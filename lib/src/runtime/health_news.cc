#include "runtime/health_news.h"

#include <utility>

namespace fanfare {
namespace {

/// A batch ends where the type changes, so its first event speaks for all.
bool is_meta(Batch batch) noexcept { return batch.front()->type() == MediaType::meta; }

}  // namespace

HealthNews::HealthNews(std::string endpoint, EndpointNews* news, Clock& clock)
    : endpoint_(std::move(endpoint)), news_(news), clock_(clock) {}

unsigned HealthNews::down_after() const noexcept {
    return news_ == nullptr ? MetaOptions().down_after : news_->down_after();
}

void HealthNews::succeeded(Batch batch) {
    if (!is_meta(batch)) recovered();
}

void HealthNews::recovered() {
    if (news_ == nullptr) return;
    const unsigned failures = std::exchange(failures_in_a_row_, 0);
    if (!std::exchange(is_down_, false)) return;
    news_->up({endpoint_, failures, clock_.now() - down_since_});
}

void HealthNews::failed(Batch batch, std::string_view error) {
    if (news_ == nullptr || is_meta(batch)) return;
    ++failures_in_a_row_;
    if (is_down_ || failures_in_a_row_ < down_after()) return;
    is_down_ = news_->down({endpoint_, failures_in_a_row_, error});
    down_since_ = clock_.now();
}

void HealthNews::given_up(const Lease& given_up, DeadReason reason) {
    const Batch batch = given_up.batch();
    if (news_ == nullptr || batch.empty() || is_meta(batch)) return;
    const TimePoint now = clock_.now();
    const bool may_tell = told_given_up_ == TimePoint::min() || now - told_given_up_ >= interval;
    const std::uint64_t others = not_told_ + batch.size() - 1;
    const bool is_told =
        may_tell && news_->given_up({endpoint_, *batch.front(), reason, given_up.last_status(),
                                     given_up.last_error(), given_up.attempts(), others});
    not_told_ = is_told ? 0 : others + 1;
    if (is_told) told_given_up_ = now;
}

}  // namespace fanfare
