#include "app.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <system_error>

#include "base/cpus.h"
#include "base/exceptions.h"
#include "base/run_on.h"
#include "base/uuid.h"
#include "config/effective.h"
#include "config/reload_route.h"
#include "store/dead_letters.h"

namespace fanfare {
namespace {

/// How long a request that has begun may take to finish once the daemon is told to stop. Its
/// sender is told no by then anyway, if it comes to that.
constexpr Duration in_flight_limit = std::chrono::seconds(5);
/// How long the last dead letters and acknowledgements may take to get to a disk that is slow.
constexpr Duration disk_limit = std::chrono::seconds(5);
constexpr Duration admin_stop_limit = std::chrono::seconds(1);

/// What an endpoint with a backlog on disk has of it in memory: its part of a quarter of
/// `queue.max_bytes`, within these bounds.
constexpr std::size_t window_bytes_min = std::size_t{64} * 1024;
constexpr std::size_t window_bytes_max = std::size_t{16} * 1024 * 1024;

/// The calling thread gets less of a core that several want: what it does can wait a moment.
void yield_to_others() {
    constexpr int nicer = 5;
    // On Linux, of the thread alone. Without it things merely compete.
    [[maybe_unused]] const int niceness = ::nice(nicer);
}

}  // namespace

unsigned loop_count(const Config& config) {
    return config.threads == 0 ? cpus_available() : config.threads;
}

std::vector<std::unique_ptr<App::Loop>> App::make_loops(unsigned count, Clock& clock, Log& log) {
    std::vector<std::unique_ptr<Loop>> loops;
    for (unsigned i = 0; i < count; ++i) loops.push_back(std::make_unique<Loop>(clock, log));
    return loops;
}

std::vector<Shard*> App::shards_of(const std::vector<std::unique_ptr<Loop>>& loops) {
    std::vector<Shard*> shards;
    for (const std::unique_ptr<Loop>& loop : loops) shards.push_back(&loop->shard);
    return shards;
}

App::App(Config config, Log& log, Identity identity)
    : config_(std::move(config)),
      log_(log),
      identity_(std::move(identity)),
      instance_(make_uuid()),
      budget_(config_.queue_bytes_max),
      drain_limit_(config_.shutdown_drain),
      loops_(make_loops(loop_count(config_), clock_, log)),
      shards_(shards_of(loops_)),
      admin_loop_(clock_, log),
      resolver_(clock_, {}),
      broadcaster_(shards_),
      stop_asked_(shards_.front()->executor()),
      tasks_(shards_.front()->executor(), [this](const std::exception_ptr& exception) {
          log_.error("daemon", "shutting down went wrong",
                     {{"error", fanfare::describe(exception)}});
          release();
      }) {}

App::~App() {
    if (tasks_.size() > 0) {
        stop();
        run();
    }
    close_stores();
}

/// Before all that the disk's thread calls, and after all that waits for it. Dead letters go first,
/// as their events are let go of when they are written.
void App::close_stores() {
    reloader_.reset();
    dead_letters_.reset();
    storage_.reset();
    if (shared_) shared_->stop();
    feed_.reset();
    fleet_.reset();
}

Result<void> App::start() {
    const Result<void> storage = open_storage();
    if (!storage) return storage;
    open_shared_store();
    open_history();
    const Result<void> dead_letters = open_dead_letters();
    if (!dead_letters) return dead_letters;
    meta_ = std::make_unique<MetaEvents>(broadcaster_, clock_, log_, instance_);
    meta_->take(config_.meta);
    const Result<void> ingest = make_ingest();
    if (!ingest) return ingest;
    const Result<void> admin = make_admin();
    if (!admin) return admin;
    Result<std::vector<EndpointOptions>> options = make_all_options();
    if (!options) return options.error();
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    for (EndpointOptions& one : *options) endpoints.push_back(make_endpoint(std::move(one)));
    // Up to here nothing runs, so that whatever stands in the way can simply be told.
    const Result<void> threads = start_threads();
    if (!threads) return threads;
    for (std::shared_ptr<Endpoint>& endpoint : endpoints) broadcaster_.add(std::move(endpoint));
    join_fleet();
    ingest_server_->start();
    net::post(admin_loop_.shard.executor(), [this] { admin_server_->start(); });
    tasks_.spawn(live());
    if (reloader_) reloader_->start();
    return {};
}

Result<std::vector<EndpointOptions>> App::make_all_options() {
    std::vector<EndpointOptions> all;
    std::vector<std::string> names;
    for (const EndpointConfig& endpoint : config_.endpoints) {
        if (endpoint.disabled) continue;
        Result<EndpointOptions> options = make_options(endpoint, parts());
        if (!options) return options.error();
        names.push_back(endpoint.name);
        all.push_back(std::move(*options));
        warn_of(endpoint, log_);
    }
    if (storage_) storage_->remove_others(names);
    const Result<void> placed = give_places(all);
    if (!placed) return placed.error();
    return all;
}

/// Their queues on the disk, if that is where queues are.
Result<void> App::give_places(std::vector<EndpointOptions>& endpoints) {
    give_shared_queues(endpoints);
    if (!storage_) return {};
    std::vector<std::string> names;
    for (const EndpointOptions& options : endpoints) names.push_back(options.name);
    const auto places = storage_->open_endpoints(names);
    if (!places) return Error("queue: " + places.error().message());
    DurableQueue::Window window;
    const std::size_t all = homes_.size() + names.size();
    const std::size_t share = config_.queue_bytes_max / (4 * std::max<std::size_t>(all, 1));
    window.bytes_max = std::clamp(share, window_bytes_min, window_bytes_max);
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        EndpointOptions& options = endpoints[i];
        options.store_id = (*places)[i].endpoint;
        options.queue = std::make_unique<DurableQueue>(storage_->journal(), home_of(options.name),
                                                       storage_->times(), (*places)[i], window);
    }
    return {};
}

Result<void> App::start_threads() {
    try {
        for (std::size_t i = 1; i < loops_.size(); ++i) {
            threads_.emplace_back([this, i] { turn(*loops_[i]); });
        }
        threads_.emplace_back([this] {
            yield_to_others();
            turn(admin_loop_);
        });
    } catch (const std::system_error& error) {
        end_threads();
        return Error("cannot start " + std::to_string(loops_.size() + 1) +
                     " threads: " + error.code().message());
    }
    return {};
}

void App::end_threads() {
    for (const std::unique_ptr<Loop>& loop : loops_) loop->work.reset();
    admin_loop_.work.reset();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

Result<void> App::open_storage() {
    if (!config_.storage.is_durable()) return {};
    const auto on_failed = [this] {
        has_failed_ = true;
        stop();
        broadcaster_.cut_off();
    };
    auto opened = EventStorage::open(config_.storage, clock_, log_, on_failed);
    if (!opened) return Error("queue: " + opened.error().message());
    storage_ = std::move(*opened);
    instance_ = storage_->id();
    broadcaster_.keep_in(storage_->journal(), storage_->times(), storage_->last_seq());
    return {};
}

void App::open_history() {
    const std::uint64_t last_seq = storage_ ? storage_->last_seq() : 0;
    history_ = std::make_unique<History>(clock_, config_.history, last_seq);
    broadcaster_.keep_history(*history_);
}

Result<void> App::open_dead_letters() {
    if (shared_ || config_.dead_letters.dir.empty()) return {};
    DeadLetterStore::Options options;
    options.dir = config_.dead_letters.dir;
    options.bytes_max = config_.dead_letters.bytes_max;
    auto opened = DeadLetterStore::open(std::move(options), clock_, log_);
    if (!opened) return Error("dead letters: " + opened.error().message());
    dead_letters_ = std::move(*opened);
    return {};
}

Result<void> App::make_ingest() {
    IngestContext context{
        .broadcaster = broadcaster_, .budget = budget_, .clock = clock_, .log = log_};
    if (storage_ || shared_) context.ack_timeout = config_.storage.ack_timeout;
    Result<std::unique_ptr<Ingest>> ingest = Ingest::make(config_.ingest, context);
    if (!ingest) return ingest.error();
    ingest_ = std::move(*ingest);
    ingest_server_ =
        std::make_unique<HttpServer>("ingest", shards_, config_.ingest.listener, *ingest_);
    return ingest_server_->bind();
}

Result<void> App::make_admin() {
    AdminSources sources{.shards = shards_,
                         .broadcaster = broadcaster_,
                         .ingest = *ingest_server_,
                         .endpoints = {},
                         .build = identity_.build,
                         .command_line = identity_.command_line,
                         .registry_metrics = config_.admin.registry_metrics,
                         .token = nullptr};
    sources.budget = &budget_;
    sources.dead_letters = dead_letters();
    if (storage_) sources.journal = &storage_->journal();
    if (shared_) {
        sources.fleet = {fleet_.get(), &shared_->events(),
                         config_.storage.nats.ready_when_disconnected};
    }
    sources.config = effective_config(config_);
    sources.action_groups.insert(config_.action_groups.begin(), config_.action_groups.end());
    streams_ = std::make_unique<StreamHub>(admin_loop_.shard, *history_, config_.streams,
                                           shared_ ? std::string() : instance_);
    streams_->share_connections(config_.admin.listener.connections_max);
    sources.events = streams_.get();
    sources.listen = config_.admin.listener.listen;
    for (const EndpointConfig& endpoint : config_.endpoints) {
        sources.endpoints.push_back(describe(endpoint));
    }
    if (!config_.admin.bearer_token_file.empty()) {
        auto loaded = BearerToken::load(config_.admin.bearer_token_file, "admin", clock_, log_);
        if (!loaded) return loaded.error();
        sources.token = std::move(*loaded);
    }
    if (reloader_) {
        sources.reload = [this] { return reload_now(*reloader_, clock_); };
        sources.reloads = [this] { return reloader_->counts(); };
    }
    admin_ = std::make_unique<Admin>(std::move(sources));
    const std::vector<Shard*> shards = {&admin_loop_.shard};
    admin_server_ = std::make_unique<HttpServer>("admin", shards, config_.admin.listener, *admin_);
    return admin_server_->bind();
}

void App::run() {
    turn(*loops_.front());
    end_threads();
}

/// What a handler throws ends neither the loop nor the process.
void App::turn(Loop& loop) {
    for (;;) {
        try {
            loop.context.run();
            return;
        } catch (...) {
            log_.error("daemon", "an event loop caught an exception",
                       {{"error", fanfare::describe(std::current_exception())}});
        }
    }
}

void App::stop() {
    net::post(shards_.front()->executor(), [this] { stop_asked_.notify(); });
}

void App::announce() {
    for (const std::string& address : ingest_addresses()) {
        log_.info("daemon", "listening", {{"listener", "ingest"}, {"address", address}});
    }
    for (const std::string& address : admin_addresses()) {
        log_.info("daemon", "listening", {{"listener", "admin"}, {"address", address}});
    }
    log_.info("daemon", "ready",
              {{"version", identity_.build.version}, {"endpoints", config_.endpoints.size()}});
}

awaitable<void> App::live() {
    admin_->set_readiness(Readiness::ready);
    announce();
    co_await stop_asked_.wait();
    co_await shut_down();
    release();
}

awaitable<void> App::shut_down() {
    if (reloader_) reloader_->stop();
    // What is not known to be stored is not delivered either.
    const Duration drain = has_failed_ ? Duration::zero() : drain_limit_.load();
    const TimePoint deadline = clock_.now() + drain;
    admin_->set_readiness(Readiness::draining);
    net::post(admin_loop_.shard.executor(), [this] { streams_->stop(); });
    log_.info("daemon", "stopping",
              {{"drain_seconds", std::chrono::duration<double>(drain).count()}});
    co_await ingest_server_->stop(std::min(drain, in_flight_limit));
    if (fleet_) fleet_->leave();
    co_await broadcaster_.drain(deadline);
    co_await flush_dead_letters();
    co_await flush_storage();
    awaitable<void> admin_end = admin_server_->stop(admin_stop_limit);
    co_await run_on(admin_loop_.shard.executor(), std::move(admin_end));
    log_.info("daemon", "stopped");
}

awaitable<void> App::flush_dead_letters() {
    if (dead_letters() == nullptr) co_return;
    const std::size_t left = co_await dead_letters()->flush(disk_limit);
    if (left == 0) co_return;
    log_.error("dead_letters", "not all dead letters have been stored", {{"events", left}});
}

/// What is not written by then is delivered once more.
awaitable<void> App::flush_storage() {
    if (!storage_ || has_failed_) co_return;
    struct Flush {
        explicit Flush(const Executor& executor) : done(executor) {}
        bool is_stored = false;
        Wakeup done;
    };
    const Executor executor = shards_.front()->executor();
    const auto flush = std::make_shared<Flush>(executor);
    storage_->journal().flush([flush, executor](bool is_stored) {
        net::post(executor, [flush, is_stored] {
            flush->is_stored = is_stored;
            flush->done.notify();
        });
    });
    co_await wait_until(clock_, clock_.now() + disk_limit, flush->done);
    if (flush->is_stored) co_return;
    log_.error("store", "the disk has not taken what was delivered last", {});
}

/// Lets the loops run out of work.
void App::release() {
    for (const std::unique_ptr<Loop>& loop : loops_) loop->work.reset();
    admin_loop_.work.reset();
    if (on_stopped_) on_stopped_();
}

}  // namespace fanfare
