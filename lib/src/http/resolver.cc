#include "http/resolver.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "base/wakeup.h"
#include "http/lookup.h"

namespace fanfare {
namespace {

/// Where a waiter gets its answer. Used on the waiter's executor only.
struct Mailbox {
    explicit Mailbox(const Executor& waiter) : executor(waiter), arrived(waiter) {}

    const Executor executor;
    Wakeup arrived;
    Resolved answer;
};
using MailboxPtr = std::shared_ptr<Mailbox>;

Resolved failed(error_code error) {
    Resolved resolved;
    resolved.error = error;
    return resolved;
}

}  // namespace

/// The threads with what they share: names known and names being looked up, behind one mutex.
class ThreadedResolver::Pool {
  public:
    Pool(Clock& clock, const Options& options) : clock_(clock), options_(options) {
        if (!options_.lookup) options_.lookup = lookup_host;
    }

    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        work_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    /// True: `mailbox.answer` is there. False: it will be posted, unless leave() comes first.
    bool ask(const std::string& host, const MailboxPtr& mailbox) {
        const std::lock_guard lock(mutex_);
        const auto known = names_.find(host);
        if (known != names_.end() && known->second.is_fresh(clock_.now())) {
            mailbox->answer = known->second.answer;
            return true;
        }
        if (known != names_.end() && !known->second.is_known) {
            known->second.waiters.push_back(mailbox);
            return false;
        }
        if (known != names_.end()) names_.erase(known);
        if (!make_room() || !provide_thread()) {
            mailbox->answer = failed(net::error::host_not_found_try_again);
            return true;
        }
        names_[host].waiters.push_back(mailbox);
        jobs_.push_back(host);
        work_.notify_one();
        return false;
    }

    void leave(const std::string& host, const MailboxPtr& mailbox) {
        const std::lock_guard lock(mutex_);
        const auto name = names_.find(host);
        if (name != names_.end()) std::erase(name->second.waiters, mailbox);
    }

  private:
    struct Name {
        bool is_known = false;  // else it is being looked up
        TimePoint expires{};
        Resolved answer;
        std::vector<MailboxPtr> waiters;

        bool is_fresh(TimePoint now) const { return is_known && now < expires; }
    };

    bool make_room() {
        if (names_.size() < options_.cache_names_max) return true;
        const TimePoint now = clock_.now();
        std::erase_if(names_, [now](const auto& entry) {
            return entry.second.is_known && !entry.second.is_fresh(now);
        });
        if (names_.size() < options_.cache_names_max) return true;
        const auto victim = std::find_if(names_.begin(), names_.end(),
                                         [](const auto& entry) { return entry.second.is_known; });
        if (victim == names_.end()) return false;
        names_.erase(victim);
        return true;
    }

    /// Starts another thread if all are busy and one more is allowed. False: there is none at all.
    bool provide_thread() {
        if (idle_threads_ > jobs_.size() || threads_.size() >= options_.threads_max) return true;
        try {
            threads_.emplace_back(&Pool::run, this);
        } catch (const std::system_error&) {
            return !threads_.empty();
        }
        return true;
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            ++idle_threads_;
            work_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
            --idle_threads_;
            if (is_stopping_) return;
            const std::string host = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            const Resolved answer = look_up(host);
            lock.lock();
            answer_all(host, answer);
        }
    }

    Resolved look_up(const std::string& host) const {
        try {
            return options_.lookup(host);
        } catch (const std::exception&) {
            return failed(net::error::no_recovery);
        }
    }

    void answer_all(const std::string& host, const Resolved& answer) {
        const auto name = names_.find(host);
        for (MailboxPtr& mailbox : name->second.waiters) {
            const Executor executor = mailbox->executor;
            net::post(executor, [waiter = std::move(mailbox), answer] {
                waiter->answer = answer;
                waiter->arrived.notify();
            });
        }
        name->second.waiters.clear();
        name->second.is_known = true;
        name->second.answer = answer;
        name->second.expires = clock_.now() + options_.ttl;
        if (answer.error) names_.erase(name);
    }

    Clock& clock_;
    Options options_;
    std::mutex mutex_;
    std::condition_variable work_;
    bool is_stopping_ = false;
    std::unordered_map<std::string, Name> names_;
    std::deque<std::string> jobs_;
    std::size_t idle_threads_ = 0;
    std::vector<std::thread> threads_;
};

/// A waiter's place among those who wait for a name; given up however the waiter ends.
class ThreadedResolver::Place {
  public:
    Place(Pool& pool, std::string host, MailboxPtr mailbox)
        : pool_(pool),
          host_(std::move(host)),
          mailbox_(std::move(mailbox)),
          is_answered_(pool_.ask(host_, mailbox_)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        if (!is_answered_) pool_.leave(host_, mailbox_);
    }

    bool is_answered() const noexcept { return is_answered_; }

  private:
    Pool& pool_;
    std::string host_;
    MailboxPtr mailbox_;
    bool is_answered_;
};

ThreadedResolver::ThreadedResolver(Clock& clock, const Options& options)
    : pool_(std::make_unique<Pool>(clock, options)) {}

ThreadedResolver::~ThreadedResolver() = default;

awaitable<Resolved> ThreadedResolver::resolve(std::string host) {
    Resolved literal;
    const net::ip::address address = net::ip::make_address(host, literal.error);
    if (!literal.error) {
        literal.addresses.push_back(address);
        co_return literal;
    }
    const auto mailbox = std::make_shared<Mailbox>(co_await net::this_coro::executor);
    const Place place(*pool_, host, mailbox);
    if (!place.is_answered()) co_await mailbox->arrived.wait();
    co_return mailbox->answer;
}

}  // namespace fanfare
