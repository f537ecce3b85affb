#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite_store.h"
#include "support/tmp_dir.h"

namespace fanfare::test {

inline constexpr WallTime first_accepted{std::chrono::seconds(1'700'000'000)};

inline EventPtr an_event(const std::string& id, std::size_t payload_bytes = 0) {
    std::string payload = R"({"id":")" + id + R"(","action":"push"})";
    if (payload.size() < payload_bytes) payload.append(payload_bytes - payload.size(), ' ');
    EventFields fields;
    fields.id = id;
    fields.action = "push";
    fields.target_media_type = "application/vnd.oci.image.manifest.v1+json";
    fields.traceparent = "00-1-2-03";
    fields.tracestate = "a=b";
    return Event::make(payload, fields, MediaType::registry_v1);
}

/// An event whose id tells its seq, accepted at that many seconds.
inline NewEvent numbered(std::uint64_t seq, std::size_t payload_bytes = 0) {
    return {seq, first_accepted + std::chrono::seconds(seq),
            an_event("e" + std::to_string(seq), payload_bytes)};
}

/// Adds events, for all endpoints given.
inline Changes appending(SeqRange seqs, const std::vector<EndpointId>& endpoints,
                         std::size_t payload_bytes = 0) {
    Changes changes;
    std::uint64_t bytes = 0;
    for (std::uint64_t seq = seqs.first; seq <= seqs.last; ++seq) {
        changes.events.push_back(numbered(seq, payload_bytes));
        bytes += changes.events.back().event->payload().size();
    }
    for (const EndpointId endpoint : endpoints) {
        changes.wanted.push_back({endpoint, seqs, bytes});
    }
    return changes;
}

inline Changes acknowledging(EndpointId endpoint, SeqRange seqs, std::uint64_t bytes = 0) {
    Changes changes;
    changes.acknowledged.push_back({endpoint, SeqRanges(seqs), bytes});
    return changes;
}

class EventStores : public testing::Test {
  protected:
    EventStores() { options_.dir = directory_.path() / "queue"; }

    Result<std::unique_ptr<SqliteStore>> try_open() { return SqliteStore::open(options_, log_); }

    void open() {
        store_.reset();
        auto opened = try_open();
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        store_ = std::move(*opened);
    }

    std::string file() const { return options_.dir + "/events.db"; }

    /// The ids of all that waits for an endpoint; `damaged` for what is that.
    std::vector<std::string> ids(EndpointId endpoint, PageLimits limits = {}) {
        std::vector<std::string> result;
        std::uint64_t after = 0;
        for (StoredPage page;; after = page.events.back().seq) {
            page = store_->page(endpoint, after, limits);
            for (const StoredEvent& stored : page.events) {
                result.emplace_back(stored.event == nullptr ? "damaged" : stored.event->id());
            }
            if (!page.has_more) return result;
        }
    }

    /// Commits until there is no garbage left.
    void clean() {
        while (store_->has_garbage()) store_->commit({});
    }

    bool has_logged(const std::string& part) const {
        return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }

    TmpDir directory_;
    SqliteStoreOptions options_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    std::unique_ptr<SqliteStore> store_;
};

using Ids = std::vector<std::string>;

}  // namespace fanfare::test
