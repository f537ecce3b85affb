#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/config_diff.h"
#include "config/config_text.h"
#include "config/file_watch.h"
#include "fanfare/log.h"
#include "server/admin/exposition.h"

namespace fanfare {

/// What has become of reading the configuration again.
struct ReloadOutcome {
    ReloadResult result = ReloadResult::noop;
    ConfigDiff diff;                  ///< what was changed, and what is still to wait for a restart
    std::vector<ConfigError> errors;  ///< why it was rejected: then nothing has changed
    std::string hash;                 ///< of what is in effect
};

/// A configuration that is to be carried out.
struct ConfigChange {
    const std::string& file;
    const ConfigText& source;
    const Config& config;  ///< what will be in effect
    const ConfigDiff& diff;
};

/// Reads a configuration file again: when it changes, and when somebody asks. One thread does it,
/// so that there is one reload at a time and no event loop waits for a disk.
class Reloader {
  public:
    /// What is in effect at the start.
    struct Start {
        std::string file;
        ConfigText text;
        Config config;
    };

    /// Carries a change out as a whole; or not at all, and returns why not. The reloader's thread.
    using Apply = std::function<std::vector<ConfigError>(const ConfigChange& change)>;
    /// Nothing: the reloader ends. The reloader's thread.
    using Done = std::function<void(std::optional<ReloadOutcome> outcome)>;

    /// Clock and log must outlive it.
    Reloader(Start start, Apply apply, Clock& clock, Log& log);
    /// Waits for a reload that is under way.
    ~Reloader();

    /// Called with what has become of every reload, noop or not, before those that asked hear of
    /// it. The reloader's thread. Before start().
    void on_outcome(std::function<void(const ReloadOutcome&)> told) { told_ = std::move(told); }

    /// Begins to watch and to take requests.
    void start();

    /// Any thread. Reads the file; if it holds what is in effect, that is all. Those that ask
    /// while it is not read yet share one reload.
    void request(Done done);
    /// Any thread: the same, and carries the configuration out in any case, as SIGHUP asks for.
    void insist();

    /// Any thread: no more reloads; who still waits for one is told.
    void stop();

    /// Any thread.
    ReloadCounts counts() const;

  private:
    struct Requests {
        std::vector<Done> done;
        bool is_insisting = false;

        bool is_empty() const noexcept { return done.empty() && !is_insisting; }
    };

    void run();
    Duration time_left() const;
    Requests take_requests();
    void serve(Requests requests);
    void follow();
    void compare(TimePoint now);
    void look(TimePoint now);
    void open_window(TimePoint now);
    std::optional<ConfigText> read_if_there();
    ReloadOutcome reload(bool is_insisting);
    ReloadOutcome carry_out(ConfigText text);
    ReloadOutcome refuse(std::vector<ConfigError> errors);
    void note(const ReloadOutcome& outcome);
    void tell(const ReloadOutcome& outcome);

    const std::string file_;
    const Apply apply_;
    Clock& clock_;
    Log& log_;
    FileWatch watch_;
    std::function<void(const ReloadOutcome&)> told_;

    // The reloader's thread.
    Config running_;
    ConfigDiff last_;        // by which running_ came about
    std::string hash_;       // of running_
    std::string seen_hash_;  // of what was last looked at; empty: there was no file
    bool is_watching_ = false;
    std::optional<TimePoint> window_end_;     // of the signs that are being collected
    std::optional<std::string> window_hash_;  // what comparing found, if that opened the window
    std::optional<TimePoint> next_comparison_;

    mutable std::mutex mutex_;
    Requests requests_;        // guarded by mutex_
    bool is_stopping_ = true;  // guarded by mutex_
    ReloadCounts counts_;      // guarded by mutex_
    std::thread thread_;
};

}  // namespace fanfare
