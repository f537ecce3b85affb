#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "event_store_support.h"
#include "store/journal.h"
#include "support/manual_clock.h"
#include "support/memory_store.h"

namespace fanfare::test {

/// A journal whose disk does nothing until it is told to.
class Journals : public testing::Test {
  protected:
    Journals() { make({}); }

    void make(Journal::Options options) {
        journal_ = std::make_unique<Journal>(
            store_, context_.get_executor(), clock_,
            [this](const std::string& error) { broken_.push_back(error); }, options);
    }

    /// Appends one event; notes what becomes of it.
    Intake append(std::uint64_t seq, std::size_t payload_bytes = 0,
                  const Executor* loop = nullptr) {
        Changes changes = appending({seq, seq}, {audit_}, payload_bytes);
        Append append{std::move(changes.events), std::move(changes.wanted)};
        const auto note = [this, seq](Appended appended) { results_.emplace_back(seq, appended); };
        return journal_->append(std::move(append), note, loop);
    }

    /// As an event loop does that has `count` requests ready, one after the other.
    void append_in_turns(std::uint64_t count) {
        for (std::uint64_t seq = 1; seq <= count; ++seq) {
            net::post(context_, [this, seq] { append(seq, 0, &loop_); });
        }
    }

    void acknowledge(std::uint64_t seq) { journal_->acknowledge({audit_, {seq, seq}, 0}); }

    void note_progress(std::uint64_t seq, unsigned attempts) {
        StoredProgress progress;
        progress.attempts = attempts;
        journal_->note_progress({audit_, seq, progress});
    }

    void poll() { ManualClock::poll(context_); }
    void advance(Duration step) { clock_.advance(step, context_); }

    /// From now on the store takes no events.
    void fill_store() {
        store_.room = false;
        store_.before_commit = [](const Changes& changes) {
            if (!changes.events.empty()) throw StoreFull("full");
        };
    }

    void break_store() {
        store_.before_commit = [](const Changes&) { throw StoreBroken("the disk is gone"); };
    }

    using Results = std::vector<std::pair<std::uint64_t, Appended>>;

    net::io_context context_{1};
    const Executor loop_ = context_.get_executor();
    ManualClock clock_;
    MemoryStore store_;
    EndpointId audit_ = store_.open_endpoint("audit");
    std::vector<std::string> broken_;
    Results results_;
    std::unique_ptr<Journal> journal_;
};

}  // namespace fanfare::test
