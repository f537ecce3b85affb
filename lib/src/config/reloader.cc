#include "config/reloader.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/exceptions.h"
#include "base/files.h"
#include "config/suggest.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr Duration comparison_least = std::chrono::milliseconds(100);
constexpr Duration idle_wait = std::chrono::hours(1);
/// Beyond it problems are only counted in the log.
constexpr std::size_t problems_logged_max = 20;

/// What is there now; empty if it cannot be read.
std::string hash_of_file(const std::string& file) {
    const Result<ConfigText> text = read_config_text(file);
    return text.has_error() ? std::string() : text->hash;
}

}  // namespace

Reloader::Reloader(Start start, Apply apply, Clock& clock, Log& log)
    : file_(std::move(start.file)),
      apply_(std::move(apply)),
      clock_(clock),
      log_(log),
      watch_(file_),
      running_(std::move(start.config)),
      hash_(std::move(start.text.hash)),
      seen_hash_(hash_) {
    counts_.hash = hash_;
    counts_.loaded_at = clock_.wall();
}

Reloader::~Reloader() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Reloader::start() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = false;
    }
    // Here, so that whoever sees the daemon run can rely on its watching.
    follow();
    thread_ = std::thread([this] { run(); });
}

void Reloader::request(Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (!is_stopping_) requests_.done.push_back(std::exchange(done, nullptr));
    }
    if (done) return done(std::nullopt);
    watch_.wake();
}

void Reloader::insist() {
    {
        const std::lock_guard lock(mutex_);
        requests_.is_insisting = true;
    }
    watch_.wake();
}

void Reloader::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    watch_.wake();
}

ReloadCounts Reloader::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void Reloader::run() {
    for (;;) {
        const bool has_signs = watch_.wait(time_left());
        const TimePoint now = clock_.now();
        {
            const std::lock_guard lock(mutex_);
            if (is_stopping_) break;
        }
        if (has_signs) {
            follow();
            open_window(now);
        }
        Requests requests = take_requests();
        if (!requests.is_empty()) serve(std::move(requests));
        if (next_comparison_ && now >= *next_comparison_) compare(now);
        if (window_end_ && now >= *window_end_) look(now);
    }
    for (const Done& done : take_requests().done) done(std::nullopt);
}

Duration Reloader::time_left() const {
    const TimePoint now = clock_.now();
    TimePoint next = now + idle_wait;
    if (next_comparison_) next = std::min(next, *next_comparison_);
    if (window_end_) next = std::min(next, *window_end_);
    return next - now;
}

Reloader::Requests Reloader::take_requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, Requests());
}

void Reloader::serve(Requests requests) {
    const ReloadOutcome outcome = reload(requests.is_insisting);
    note(outcome);
    for (const Done& done : requests.done) done(outcome);
}

/// Watches what the configuration in effect wants to be watched.
void Reloader::follow() {
    const bool was_watching = is_watching_;
    is_watching_ = running_.reload.watch && !is_read_once(file_);
    if (!is_watching_) {
        watch_.stop();
        window_end_.reset();
        next_comparison_.reset();
        return;
    }
    const Result<void> followed = watch_.follow();
    if (was_watching) return;
    // It may have changed since it was read.
    next_comparison_ = clock_.now();
    if (followed.has_value()) return;
    log_.warn("config", "no signs of changes to the configuration, it is only compared",
              {{"file", file_}, {"error", followed.error().message()}});
}

void Reloader::open_window(TimePoint now) {
    if (is_watching_ && !window_end_) window_end_ = now + running_.reload.debounce;
}

/// For file systems that give no signs, and for the time before there were any.
void Reloader::compare(TimePoint now) {
    const Duration interval = running_.reload.poll_interval;
    next_comparison_.reset();
    if (interval > Duration::zero()) next_comparison_ = now + std::max(interval, comparison_least);
    if (window_end_) return;
    follow();  // folders may have come meanwhile
    std::string hash = hash_of_file(file_);
    if (hash == seen_hash_) return;
    open_window(now);
    window_hash_ = std::move(hash);
}

/// At the end of a window.
void Reloader::look(TimePoint now) {
    window_end_.reset();
    const std::optional<std::string> expected = std::exchange(window_hash_, std::nullopt);
    std::error_code error;
    if (!fs::exists(file_, error)) {
        if (!seen_hash_.empty()) {
            log_.warn("config", "the configuration's file is gone, what it held stays in effect",
                      {{"file", file_}});
        }
        seen_hash_.clear();
        return;
    }
    // Without a sign nobody knows whether it was written to its end.
    std::string hash = expected ? hash_of_file(file_) : std::string();
    if (expected && hash != *expected) {
        open_window(now);
        window_hash_ = std::move(hash);
        return;
    }
    note(reload(false));
}

ReloadOutcome Reloader::reload(bool is_insisting) {
    // What has been written by now is about to be read.
    watch_.forget();
    window_end_.reset();
    window_hash_.reset();
    try {
        if (is_read_once(file_)) {
            return refuse({{file_, 0, 0, {}, "is a pipe; expected a file, to be read again"}});
        }
        Result<ConfigText> text = read_config_text(file_);
        if (text.has_error()) return refuse({{file_, 0, 0, {}, text.error().message()}});
        seen_hash_ = text->hash;
        if (is_insisting || text->hash != hash_) return carry_out(std::move(*text));
    } catch (...) {
        const std::string message = "cannot be taken over: " + describe(std::current_exception());
        return refuse({{file_, 0, 0, {}, message}});
    }
    ReloadOutcome outcome;
    outcome.diff = diff_configs(running_, running_);
    outcome.diff.needs_restart = last_.needs_restart;
    outcome.hash = hash_;
    return outcome;
}

ReloadOutcome Reloader::carry_out(ConfigText text) {
    LoadedConfig loaded = parse_config(text.text, file_);
    if (auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
        return refuse(std::move(*errors));
    }
    const Config& config = std::get<Config>(loaded);
    ReloadOutcome outcome;
    outcome.result = ReloadResult::ok;
    outcome.diff = diff_configs(running_, config);
    Config next = taken_over(running_, config);
    std::vector<ConfigError> errors = apply_(ConfigChange{file_, text, next, outcome.diff});
    if (!errors.empty()) return refuse(std::move(errors));
    running_ = std::move(next);
    last_ = outcome.diff;
    hash_ = std::move(text.hash);
    outcome.hash = hash_;
    follow();
    if (is_watching_) next_comparison_ = clock_.now();  // and from now on as often as it says
    return outcome;
}

ReloadOutcome Reloader::refuse(std::vector<ConfigError> errors) {
    ReloadOutcome outcome;
    outcome.result = ReloadResult::rejected;
    outcome.errors = std::move(errors);
    outcome.hash = hash_;
    return outcome;
}

void Reloader::note(const ReloadOutcome& outcome) {
    {
        const std::lock_guard lock(mutex_);
        ++counts_.results.at(static_cast<std::size_t>(outcome.result));
        counts_.is_last_good = outcome.result != ReloadResult::rejected;
        counts_.hash = outcome.hash;
        if (outcome.result == ReloadResult::ok) counts_.loaded_at = clock_.wall();
    }
    tell(outcome);
    if (told_) told_(outcome);
}

void Reloader::tell(const ReloadOutcome& outcome) {
    switch (outcome.result) {
        case ReloadResult::noop:
            log_.info("config", "configuration is unchanged", {{"hash", outcome.hash}});
            return;
        case ReloadResult::ok:
            for (const std::string& warning : running_.warnings) {
                log_.warn("config", "remark on the configuration", {{"remark", warning}});
            }
            log_.info("config", "configuration reloaded",
                      {{"added", join(outcome.diff.added)},
                       {"changed", join(outcome.diff.changed)},
                       {"removed", join(outcome.diff.removed)},
                       {"unchanged", outcome.diff.unchanged.size()},
                       {"settings", join(outcome.diff.settings)},
                       {"hash", outcome.hash}});
            if (outcome.diff.needs_restart.empty()) return;
            log_.warn("config", "some keys take effect only after a restart",
                      {{"keys", join(outcome.diff.needs_restart)}});
            return;
        case ReloadResult::rejected:
            break;
    }
    const std::size_t shown = std::min(outcome.errors.size(), problems_logged_max);
    for (std::size_t i = 0; i < shown; ++i) {
        log_.error("config", "problem of the configuration",
                   {{"problem", outcome.errors[i].text()}});
    }
    log_.error("config", "configuration rejected, the old one stays in effect",
               {{"file", file_}, {"problems", outcome.errors.size()}, {"hash", outcome.hash}});
}

}  // namespace fanfare
