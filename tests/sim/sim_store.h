#pragma once

#include <memory>

#include "support/memory_store.h"

namespace fanfare::sim {

/// A store in memory with a disk that can be full, or break, and what would be on that disk after a
/// power cut.
class SimStore final : public EventStore {
  public:
    enum class Fault : std::uint8_t { none, broken_before, broken_after };

    explicit SimStore(test::MemoryStore disk) : cache_(disk), disk_(std::move(disk)) {}

    /// Broken on purpose: it says that a commit is stored when only the one before it is.
    void set_forgetful() { is_forgetful_ = true; }
    void set_full(bool is_full) { is_full_ = is_full; }
    /// Of the next commit.
    void set_fault(Fault fault) { fault_ = fault; }

    test::MemoryStore after_power_cut() const { return is_forgetful_ ? disk_ : cache_; }

    void commit(const Changes& changes) override {
        if (is_full_ && !changes.events.empty()) throw StoreFull("the disk is full");
        if (fault_ == Fault::broken_before) throw StoreBroken("on purpose");
        if (is_forgetful_) disk_ = cache_;
        cache_.commit(changes);
        if (fault_ == Fault::broken_after) throw StoreBroken("on purpose");
    }
    StoredPage page(EndpointId endpoint, std::uint64_t after, const PageLimits& limits) override {
        return cache_.page(endpoint, after, limits);
    }
    std::vector<EndpointId> open_endpoints(std::span<const std::string> names) override {
        return cache_.open_endpoints(names);
    }
    void remove_endpoint(EndpointId endpoint, WallTime at) override {
        cache_.remove_endpoint(endpoint, at);
    }
    void forget_endpoint(EndpointId endpoint) override { cache_.forget_endpoint(endpoint); }
    Backlog purge(EndpointId endpoint, std::uint64_t until) override {
        return cache_.purge(endpoint, until);
    }
    std::vector<StoredEndpoint> endpoints() override { return cache_.endpoints(); }
    std::uint64_t last_seq() const override { return cache_.last_seq(); }
    const std::string& id() const override { return cache_.id(); }
    StoreStats stats() override { return cache_.stats(); }
    bool has_room() override { return !is_full_; }
    bool has_garbage() const override { return cache_.has_garbage(); }
    std::vector<std::string> check() override { return cache_.check(); }

  private:
    test::MemoryStore cache_;
    test::MemoryStore disk_;
    bool is_forgetful_ = false;
    bool is_full_ = false;
    Fault fault_ = Fault::none;
};

}  // namespace fanfare::sim
