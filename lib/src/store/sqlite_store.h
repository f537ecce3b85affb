#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "fanfare/log.h"
#include "fanfare/storage.h"
#include "store/ballast.h"
#include "store/dir_lock.h"
#include "store/event_store.h"
#include "store/event_table.h"
#include "store/pending_table.h"
#include "store/sqlite.h"

namespace fanfare {

struct SqliteStoreOptions {
    std::string dir;
    std::uint64_t bytes_max = std::uint64_t{10} << 30;
    Recovery recovery = Recovery::salvage;
    /// Refuse a folder in which there is no store.
    bool must_exist = false;

    // For tests.
    const char* vfs = nullptr;           ///< of SQLite
    bool is_every_commit_synced = true;  ///< else a power cut loses what was committed
    int log_pages = 1000;                ///< that are written into the file together
};

/// Keeps events in a file, `events.db`. Which of them wait where is kept as runs of seqs, in the
/// file and in memory; so a start reads no event, and a commit writes a few rows per endpoint.
class SqliteStore final : public EventStore {
  public:
    static constexpr const char* file_name = "events.db";
    static constexpr const char* lock_name = "lock";
    static constexpr const char* ballast_name = "ballast";

    /// Blocks. An Error for a folder that is in use or cannot be written to, and for a file that
    /// must not be touched or cannot be used.
    static Result<std::unique_ptr<SqliteStore>> open(const SqliteStoreOptions& options, Log& log);

    /// Writes all into the one file: the write-ahead log is empty then.
    ~SqliteStore() override;

    void commit(const Changes& changes) override;
    StoredPage page(EndpointId endpoint, std::uint64_t after, const PageLimits& limits) override;
    std::vector<EndpointId> open_endpoints(std::span<const std::string> names) override;
    void remove_endpoint(EndpointId endpoint, WallTime at) override;
    void forget_endpoint(EndpointId endpoint) override;
    Backlog purge(EndpointId endpoint, std::uint64_t until) override;
    std::vector<StoredEndpoint> endpoints() override;
    std::uint64_t last_seq() const override { return last_seq_; }
    const std::string& id() const override { return id_; }
    StoreStats stats() override;
    bool has_room() override;
    bool has_garbage() const override { return !garbage_.is_empty(); }
    std::vector<std::string> check() override;

  private:
    /// Rows erased by a commit that adds nothing.
    static constexpr std::uint64_t erased_idle_max = 4096;

    struct Endpoint {
        std::string name;
        std::optional<WallTime> removed_at;
        std::uint64_t bytes = 0;
        SeqRanges attempted;  ///< pending, and in the table of attempts
        bool has_new_bytes = false;
    };
    using Endpoints = std::map<EndpointId, Endpoint>;
    friend class StoreOpening;

    SqliteStore(const SqliteStoreOptions& options, Database database);

    void load();
    void load_endpoints();
    Endpoints::iterator find_endpoint(std::string_view name);
    void open_endpoint_row(const std::string& name);
    void write(const std::function<void()>& work);
    void try_to_write(const std::function<void()>& work);
    bool make_room();
    void checkpoint();
    bool has_disk(std::int64_t pages);
    [[noreturn]] void fail(const SqliteError& error);
    void require_usable() const;

    void apply(const Changes& changes);
    SeqRanges apply_wanted(const Changes& changes);
    void apply_acknowledged(const EndpointSeqs& done);
    void apply_progress(const EventProgress& progress);
    Backlog drop(EndpointId id, Endpoint& endpoint, SeqRange range);
    void forget_attempts(EndpointId id, Endpoint& endpoint, SeqRange range);
    void find_garbage(SeqRanges candidates);
    void erase_garbage(std::uint64_t events_max);
    void save();

    std::optional<StoredProgress> progress_of(EndpointId id, const Endpoint& endpoint,
                                              std::uint64_t seq);
    std::int64_t pages_used();
    void require_room(const Changes& changes);
    SeqRanges check_rows(std::vector<std::string>& problems);
    void check_pending(const SeqRanges& rows, std::vector<std::string>& problems);

    const SqliteStoreOptions options_;
    const std::string file_;
    Ballast ballast_;
    // Declared before the database, so that the folder is free only once that is closed.
    DirLock lock_;
    Database database_;
    PendingTable pending_;
    EventTable events_;
    Statement page_count_;
    Statement free_count_;
    Statement select_attempt_;
    Statement write_attempt_;
    Statement erase_attempts_;
    Statement write_bytes_;
    Statement write_last_seq_;

    std::string id_;
    std::uint64_t last_seq_ = 0;
    std::uint64_t saved_last_seq_ = 0;
    Endpoints endpoints_;
    SeqRanges garbage_;  // rows that nobody wants any more
    EndpointId last_holder_ = 0;
    std::uint64_t forgotten_events_ = 0;
    std::uint64_t moved_aside_ = 0;
    bool is_broken_ = false;
};

}  // namespace fanfare
