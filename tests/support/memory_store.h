#pragma once

#include <algorithm>
#include <functional>
#include <map>

#include "store/event_store.h"

namespace fanfare::test {

/// An EventStore in memory. What it holds is what would be on the disk after a power cut: a test
/// that throws away everything else and goes on with it has simulated one.
class MemoryStore final : public EventStore {
  public:
    /// May throw StoreFull or StoreBroken in place of a commit.
    std::function<void(const Changes&)> before_commit;
    /// What was committed, in order; of the events only the seqs are kept there.
    struct Commit {
        std::vector<std::uint64_t> seqs;
        std::size_t acknowledged = 0;
        std::size_t progress = 0;
    };
    std::vector<Commit> commits;
    bool room = true;
    std::uint64_t garbage = 0;  ///< commits that are needed to get rid of it

    void commit(const Changes& changes) override {
        if (before_commit) before_commit(changes);
        Commit commit;
        if (garbage > 0) --garbage;
        for (const NewEvent& event : changes.events) {
            commit.seqs.push_back(event.seq);
            last_seq_ = std::max(last_seq_, event.seq);
            events_[event.seq] = event;
        }
        for (const EndpointRun& wanted : changes.wanted) {
            if (auto* const endpoint = find(wanted.endpoint)) {
                endpoint->seqs.add(wanted.seqs);
                endpoint->bytes += wanted.bytes;
            }
        }
        for (const EventProgress& entry : changes.progress) apply(entry);
        commit.progress = changes.progress.size();
        for (const EndpointSeqs& done : changes.acknowledged) {
            commit.acknowledged += done.seqs.count();
            apply(done);
        }
        drop_unwanted();
        commits.push_back(std::move(commit));
    }

    StoredPage page(EndpointId id, std::uint64_t after, const PageLimits& limits) override {
        StoredPage page;
        const auto* const endpoint = find(id);
        if (endpoint == nullptr) return page;
        for (const SeqRange& run : endpoint->seqs) {
            for (std::uint64_t seq = run.first; seq <= run.last; ++seq) {
                if (seq <= after) continue;
                page.has_more = page.events.size() >= limits.events_max ||
                                page.payload_bytes >= limits.bytes_max;
                if (page.has_more) return page;
                page.events.push_back(stored(*endpoint, seq));
                page.payload_bytes += events_.at(seq).event->payload().size();
            }
        }
        return page;
    }

    std::vector<EndpointId> open_endpoints(std::span<const std::string> names) override {
        std::vector<EndpointId> ids;
        for (const std::string& name : names) ids.push_back(open(name));
        return ids;
    }

    void remove_endpoint(EndpointId id, WallTime at) override {
        if (auto* const endpoint = find(id)) endpoint->removed_at = at;
    }

    void forget_endpoint(EndpointId id) override {
        endpoints_.erase(id);
        drop_unwanted();
    }

    Backlog purge(EndpointId id, std::uint64_t until) override {
        auto* const endpoint = find(id);
        if (endpoint == nullptr) return {};
        EndpointSeqs gone{id, endpoint->seqs.common({1, until}), 0};
        for (const SeqRange& run : gone.seqs) {
            for (std::uint64_t seq = run.first; seq <= run.last; ++seq) {
                gone.bytes += events_.at(seq).event->payload().size();
            }
        }
        apply(gone);
        drop_unwanted();
        return {gone.seqs.count(), gone.bytes};
    }

    std::vector<StoredEndpoint> endpoints() override {
        std::vector<StoredEndpoint> result;
        for (const auto& [id, endpoint] : endpoints_) {
            StoredEndpoint entry;
            entry.id = id;
            entry.name = endpoint.name;
            entry.pending = {endpoint.seqs.count(), endpoint.bytes};
            if (!endpoint.seqs.is_empty()) {
                entry.oldest_at = events_.at(endpoint.seqs.first()).accepted_at;
            }
            entry.removed_at = endpoint.removed_at;
            result.push_back(std::move(entry));
        }
        return result;
    }

    std::uint64_t last_seq() const override { return last_seq_; }
    const std::string& id() const override { return id_; }
    StoreStats stats() override {
        StoreStats stats;
        stats.events = events_.size();
        return stats;
    }
    bool has_room() override { return room; }
    bool has_garbage() const override { return garbage > 0; }
    std::vector<std::string> check() override { return {}; }

  private:
    struct Endpoint {
        std::string name;
        SeqRanges seqs;
        std::uint64_t bytes = 0;
        std::map<std::uint64_t, StoredProgress> progress;
        std::optional<WallTime> removed_at;
    };

    EndpointId open(const std::string& name) {
        for (auto& [id, endpoint] : endpoints_) {
            if (endpoint.name != name) continue;
            endpoint.removed_at.reset();
            return id;
        }
        endpoints_[++last_endpoint_].name = name;
        return last_endpoint_;
    }

    Endpoint* find(EndpointId id) {
        const auto found = endpoints_.find(id);
        return found == endpoints_.end() ? nullptr : &found->second;
    }

    void apply(const EventProgress& entry) {
        auto* const endpoint = find(entry.endpoint);
        if (endpoint == nullptr || !endpoint->seqs.contains(entry.seq)) return;
        endpoint->progress[entry.seq] = entry.progress;
    }

    void apply(const EndpointSeqs& done) {
        auto* const endpoint = find(done.endpoint);
        if (endpoint == nullptr) return;
        for (const SeqRange& run : done.seqs) {
            endpoint->seqs.remove(run);
            endpoint->progress.erase(endpoint->progress.lower_bound(run.first),
                                     endpoint->progress.upper_bound(run.last));
        }
        endpoint->bytes -= std::min(endpoint->bytes, done.bytes);
    }

    void drop_unwanted() {
        std::erase_if(events_, [this](const auto& entry) {
            return std::none_of(endpoints_.begin(), endpoints_.end(), [&](const auto& endpoint) {
                return endpoint.second.seqs.contains(entry.first);
            });
        });
    }

    StoredEvent stored(const Endpoint& endpoint, std::uint64_t seq) const {
        const NewEvent& event = events_.at(seq);
        StoredEvent result;
        result.seq = seq;
        result.accepted_at = event.accepted_at;
        EventFields fields;
        fields.id = event.event->id();
        fields.action = event.event->action();
        fields.target_media_type = event.event->target_media_type();
        fields.traceparent = event.event->traceparent();
        fields.tracestate = event.event->tracestate();
        result.event = Event::make(event.event->payload(), fields, event.event->type());
        const auto progress = endpoint.progress.find(seq);
        if (progress != endpoint.progress.end()) result.progress = progress->second;
        return result;
    }

    std::map<std::uint64_t, NewEvent> events_;
    std::map<EndpointId, Endpoint> endpoints_;
    EndpointId last_endpoint_ = 0;
    std::uint64_t last_seq_ = 0;
    std::string id_ = "memory";
};

}  // namespace fanfare::test
