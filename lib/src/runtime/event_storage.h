#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "fanfare/error.h"
#include "fanfare/log.h"
#include "fanfare/storage.h"
#include "runtime/durable_queue.h"
#include "runtime/steady_wall.h"
#include "store/journal.h"
#include "store/sqlite_store.h"

namespace fanfare {

/// The events on disk, and the one thread that everything runs on which waits for the disk.
class EventStorage {
  public:
    /// Blocks. `on_failed` is called once, on that thread, if the store breaks: the process must
    /// end then. Clock and log must outlive the storage. An Error says why there is none.
    static Result<std::unique_ptr<EventStorage>> open(const StorageOptions& options, Clock& clock,
                                                      Log& log, std::function<void()> on_failed);

    /// Waits for what is under way on the disk. Nobody may use the journal any more.
    ~EventStorage();

    Journal& journal() noexcept { return *journal_; }
    const SteadyWall& times() const noexcept { return times_; }
    /// Of the store; stays the same as long as that exists.
    const std::string& id() const noexcept { return id_; }
    std::uint64_t last_seq() const noexcept { return last_seq_; }

    // These block until the disk has done it. Any thread but the disk's.

    /// The places of endpoints, one per name, new or those that they had. An Error if they cannot
    /// be had: there is no room, or the store broke.
    Result<std::vector<DurableQueue::Place>> open_endpoints(const std::vector<std::string>& names);

    /// These get no events any more. Their backlogs are kept for the grace, if they do not come
    /// back before.
    void remove_endpoints(const std::vector<std::string>& names);

    /// All but these are removed.
    void remove_others(const std::vector<std::string>& names);

    /// Whether all is on the disk that was handed over, within `limit`.
    bool flush(Duration limit);

  private:
    EventStorage(const StorageOptions& options, std::unique_ptr<SqliteStore> store, Clock& clock,
                 Log& log, std::function<void()> on_failed);

    template <class T>
    Result<T> ask(std::function<T(EventStore&)> work);
    void remove_if(const std::function<bool(const StoredEndpoint&)>& is_removed);
    // On the disk's thread.
    void work();
    void tell_of_room(bool is_full);
    void tell_of_backlog(EventStore& store);
    void forget_overdue(EventStore& store);

    const StorageOptions options_;
    Clock& clock_;
    Log& log_;
    const SteadyWall times_;
    const std::string id_;
    const std::uint64_t last_seq_;
    std::unique_ptr<SqliteStore> store_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    std::unique_ptr<Alarm> forget_;  // the thread's
    std::unique_ptr<Journal> journal_;
    std::thread thread_;
};

}  // namespace fanfare
