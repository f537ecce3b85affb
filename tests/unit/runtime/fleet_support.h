#pragma once

#include <string>

#include "meta_support.h"
#include "runtime/fleet.h"
#include "support/fake_board.h"

namespace fanfare::test {

/// One process: an endpoint `audit` whose receiver answers as it is told.
struct Process {
    enum class Reads : std::uint8_t { at_once, later, once_connected };
    Process(FakeBoard& shared, const std::string& id, Reads reads = Reads::at_once)
        : board(shared), fleet(board, pipeline.broadcaster, pipeline.shard, {id, "host", "1.0"}) {
        EndpointOptions options;
        options.holds = &fleet;
        options.first_hold = Fleet::first_hold;
        options.retry.threshold = 2;
        options.retry.backoff = 10s;
        audit = pipeline.add("audit", receiver.script(), counted, std::move(options));
        board.is_slow = reads != Reads::at_once;
        board.is_cut_off = reads == Reads::once_connected;
        fleet.take({{"audit", "one", 1s}});
        pipeline.poll();
    }
    ~Process() { pipeline.drain(Duration::zero()); }

    void write(const std::string& id) {
        pipeline.write(id);
        pipeline.poll();
    }
    EndpointSnapshot snapshot() { return pipeline.snapshot_of("audit"); }

    Pipeline pipeline;
    FakeBoard::Client board;
    Fleet fleet;
    Receiver counted;
    Switched receiver = taking();
    std::shared_ptr<Endpoint> audit;
};

/// Two processes side by side.
class FleetTest : public testing::Test {
  protected:
    /// Both hear what the other has told.
    void poll() {
        a_.pipeline.poll();
        b_.pipeline.poll();
    }
    /// Their times go on side by side.
    void advance(Duration time, Duration step = 1s) {
        for (; time > Duration::zero(); time -= step) {
            board_.now += std::chrono::duration_cast<WallTime::duration>(step);
            a_.pipeline.advance(step);
            b_.pipeline.advance(step);
            poll();
        }
    }
    /// `a`'s receiver fails until its breaker is open.
    void break_a() {
        a_.receiver.answer = Outcome::refused(500);
        a_.write("1");
        poll();
        ASSERT_TRUE(a_.snapshot().is_breaker_open);
    }

    FakeBoard board_;
    Process a_{board_, "a"};
    Process b_{board_, "b"};
};

}  // namespace fanfare::test
