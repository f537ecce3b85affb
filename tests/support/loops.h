#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/clock.h"
#include "fanfare/log.h"

namespace fanfare::test {

/// Shards with their threads, on the real clock, and what they log.
class Loops {
  public:
    explicit Loops(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(*this));
    }
    ~Loops() { join(); }

    std::vector<Shard*> shards() {
        std::vector<Shard*> all;
        for (const auto& loop : loops_) all.push_back(&loop->shard);
        return all;
    }
    Clock& clock() { return clock_; }
    Log& log() { return log_; }

    /// The loops begin to turn.
    void run() {
        for (const auto& loop : loops_) {
            loop->thread = std::thread([&context = loop->context] { context.run(); });
        }
    }

    /// Waits until nothing is left to do.
    void join() {
        for (const auto& loop : loops_) loop->guard.reset();
        for (const auto& loop : loops_) {
            if (loop->thread.joinable()) loop->thread.join();
        }
    }

    /// Starts `task` on a shard; the future waits for its end.
    std::future<void> start(awaitable<void> task, std::size_t shard = 0) {
        return net::co_spawn(loops_[shard]->context, std::move(task), net::use_future);
    }

    /// Runs `function` on a shard's thread and returns what it returns.
    template <class Function>
    auto on_shard(std::size_t shard, Function function) {
        const auto task =
            std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
        auto result = task->get_future();
        net::post(loops_[shard]->context, [task] { (*task)(); });
        return result.get();
    }

    std::vector<std::string> log_lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

  private:
    struct Loop {
        explicit Loop(Loops& owner) : shard(context, owner.clock_, owner.log_) {}
        net::io_context context{1};
        net::executor_work_guard<net::io_context::executor_type> guard{context.get_executor()};
        Shard shard;
        std::thread thread;
    };

    std::mutex mutex_;
    std::vector<std::string> lines_;
    SteadyClock clock_;
    Log log_{LogOptions{}, [this](std::string_view line) {
                 const std::lock_guard lock(mutex_);
                 lines_.emplace_back(line);
             }};
    std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace fanfare::test
