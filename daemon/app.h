#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/task_group.h"
#include "base/wakeup.h"
#include "config/reloader.h"
#include "endpoints.h"
#include "fanfare/broadcaster.h"
#include "fanfare/budget.h"
#include "fanfare/config.h"
#include "fanfare/error.h"
#include "fanfare/history.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "runtime/event_storage.h"
#include "runtime/fleet.h"
#include "runtime/history_feed.h"
#include "runtime/meta_events.h"
#include "server/admin/admin.h"
#include "server/events/stream_hub.h"
#include "server/http_server.h"
#include "server/ingest.h"
#include "shared_store.h"
#include "store/letters.h"

namespace fanfare {

/// What is running, as the admin listener tells it.
struct Identity {
    BuildInfo build;
    std::vector<std::string> command_line;
};

/// How many event loops `config` asks for: one for each CPU where it leaves that open.
unsigned loop_count(const Config& config);

/// The daemon, whole: event loops, broadcaster, endpoints and the two listeners. Start it, run it
/// on the thread that is to be its first event loop, stop it from any thread.
class App {
  public:
    /// `log` must outlive the app.
    App(Config config, Log& log, Identity identity);
    /// Waits for name lookups under way, which may take long.
    ~App();

    /// The configuration stands in a file, which is to be read again when it changes and when
    /// somebody asks. `start.config`: as it was read. Before start().
    void follow(Reloader::Start start);

    /// Makes all parts and opens the listeners; an Error says what stands in the way. Once.
    Result<void> start();

    /// Runs the first event loop, and so the daemon, until stop() was called and has done its
    /// work, or the storage has failed. Only after start() has succeeded.
    void run();

    /// After run(): whether it ended because the disk can no longer be trusted.
    bool has_failed() const noexcept { return has_failed_; }

    /// Any thread; idempotent. Ingest ends, queues drain within `shutdown.drain`, then the admin
    /// listener ends and run() returns.
    void stop();

    /// Any thread: reads the configuration's file again and carries out what it says.
    void reload();

    /// Called on the first event loop when all is done and run() is about to return.
    void on_stopped(std::function<void()> callback) { on_stopped_ = std::move(callback); }

    /// Where it listens, with real ports; after start().
    std::vector<std::string> ingest_addresses() const { return ingest_server_->addresses(); }
    std::vector<std::string> admin_addresses() const { return admin_server_->addresses(); }

    /// The first event loop, for what is to run beside the daemon: signals, say.
    net::io_context& context() { return loops_.front()->context; }

  private:
    /// One event loop and what keeps it turning.
    struct Loop {
        Loop(Clock& clock, Log& log) : shard(context, clock, log), work(context.get_executor()) {}

        net::io_context context{1};
        Shard shard;
        net::executor_work_guard<net::io_context::executor_type> work;
    };

    static std::vector<std::unique_ptr<Loop>> make_loops(unsigned count, Clock& clock, Log& log);
    static std::vector<Shard*> shards_of(const std::vector<std::unique_ptr<Loop>>& loops);

    EndpointParts parts();
    Shard& home_of(const std::string& endpoint);
    std::shared_ptr<Endpoint> make_endpoint(EndpointOptions options);
    std::vector<ConfigError> apply(const ConfigChange& change);
    void wait_for_end_of(const std::string& endpoint);
    void announce_outcome(const ReloadOutcome& outcome);
    void take_over(const ConfigChange& change);
    Result<void> start_threads();
    void end_threads();
    Result<void> open_storage();
    void open_shared_store();
    void join_fleet();
    void follow_log(const HistoryOptions& history);
    void tell_fleet(const Config& config);
    bool needs_other_place(const EndpointOptions& options) const;
    void give_shared_queues(std::vector<EndpointOptions>& endpoints);
    DeadLetters* dead_letters() const noexcept;
    void open_history();
    void resize_history(const HistoryOptions& options);
    Result<void> open_dead_letters();
    Result<void> give_places(std::vector<EndpointOptions>& endpoints);
    Result<std::vector<EndpointOptions>> make_all_options();
    void close_stores();
    Result<void> make_ingest();
    Result<void> make_admin();
    void turn(Loop& loop);
    void announce();
    awaitable<void> live();
    awaitable<void> shut_down();
    awaitable<void> flush_dead_letters();
    awaitable<void> flush_storage();
    void release();

    const Config config_;
    Log& log_;
    const Identity identity_;
    std::string instance_;  // a UUID; of the store if there is one
    SteadyClock clock_;
    Budget budget_;
    std::atomic<Duration> drain_limit_;
    // Endpoints, which loops may own, give back to it what they have.
    std::unique_ptr<SharedStore> shared_;  // null: no other process takes part
    std::unique_ptr<SteadyWall> times_;    // with it
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<Shard*> shards_;
    /// What operators ask for is answered beside the events: a page, a scrape or fifty streams
    /// hold none of them up.
    Loop admin_loop_;
    ThreadedResolver resolver_;
    TcpConnector connector_;
    std::atomic<bool> has_failed_{false};
    std::unique_ptr<EventStorage> storage_;      // null: events are in memory only
    std::unique_ptr<DeadLetters> dead_letters_;  // null: they are not kept
    std::unique_ptr<Fleet> fleet_;               // with shared_
    std::unique_ptr<HistoryFeed> feed_;          // with shared_
    std::unique_ptr<History> history_;
    Broadcaster broadcaster_;
    std::unique_ptr<MetaEvents> meta_;
    std::unique_ptr<Ingest> ingest_;
    std::unique_ptr<HttpServer> ingest_server_;
    std::unique_ptr<StreamHub> streams_;
    std::unique_ptr<Admin> admin_;
    std::unique_ptr<HttpServer> admin_server_;
    Wakeup stop_asked_;
    TaskGroup tasks_;
    std::function<void()> on_stopped_;
    std::vector<std::thread> threads_;
    /// The shard of each endpoint. Before the reloader starts anybody's, then its thread's.
    std::map<std::string, Shard*> homes_;
    std::map<std::string, bool> partitioned_;  // with shared_: how each endpoint's place is
    std::map<std::string, std::weak_ptr<Endpoint>> leaving_;  // the reloader's thread
    std::unique_ptr<Reloader> reloader_;  // null: nobody reads the configuration again
};

}  // namespace fanfare
