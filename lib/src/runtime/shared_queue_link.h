#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/shared_queue.h"

namespace fanfare {

/// What other threads may use, and what finds this queue again on its shard.
struct SharedQueue::Link {
    explicit Link(Executor loop) : executor(std::move(loop)) {}

    /// Any thread: runs `work(queue)` on the shard, if the queue has not ended then. False if it
    /// has ended already.
    template <class Work>
    static bool post(const std::shared_ptr<Link>& self, Work work) {
        const std::lock_guard lock(self->mutex);
        if (self->has_ended) return false;
        net::post(self->executor,
                  [self, work = std::move(work)]() mutable { work(self->queue, *self); });
        return true;
    }

    /// Any thread, as long as the queue is there.
    void done(const std::string& token) {
        const std::lock_guard lock(mutex);
        if (consumer != nullptr) consumer->done(token);
    }
    void give_back(const std::vector<Delivery>& deliveries, Duration delay) {
        const std::lock_guard lock(mutex);
        if (consumer == nullptr) return;
        for (const Delivery& delivery : deliveries) consumer->later(delivery.token, delay);
    }

    const Executor executor;
    SharedQueue* queue = nullptr;  // the shard's; null: it has ended
    std::mutex mutex;
    SharedConsumer* consumer = nullptr;  // guarded by mutex
    bool has_ended = false;              // guarded by mutex
};

}  // namespace fanfare
