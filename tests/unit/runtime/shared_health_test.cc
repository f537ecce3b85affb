// What processes that share a queue tell each other of a receiver: that it is gone for good, and
// that it is well though one of them has seen it fail.
#include "meta_support.h"
#include "runtime/fleet.h"
#include "shared_support.h"
#include "support/fake_board.h"

namespace fanfare::test {
namespace {

constexpr const char* health_key = "health.audit";
constexpr const char* gone_key = "gone.audit";

/// One process, with an endpoint `audit`.
class Replica {
  public:
    enum class Reads : std::uint8_t { at_once, later };

    Replica(SharedWorld& world, FakeBoard& shared, const std::string& id)
        : pipeline(world),
          meta(pipeline.broadcaster, world.clock, pipeline.log, id),
          board(shared),
          fleet(board, pipeline.broadcaster, pipeline.shard, {id, "host", "1.0"}),
          world_(world) {}
    ~Replica() {
        fleet.leave();
        pipeline.drain(Duration::zero());
    }

    void begin(const ScriptedSink::Script& script, Receiver& receiver,
               const std::string& hash = "one", Reads reads = Reads::at_once) {
        audit = pipeline.add("audit", script, receiver, options());
        board.is_slow = reads == Reads::later;
        fleet.take({{"audit", hash, 1s}});
        world_.poll();
    }
    /// What fails is tried again after a second, by whoever's turn it is.
    EndpointOptions options() {
        EndpointOptions options = many_at_once(16);
        options.retry.initial = 1s;
        options.retry.factor = 1;
        options.retry.gone_disables = true;
        options.holds = &fleet;
        options.news = &meta;
        options.first_hold = Fleet::first_hold;
        return options;
    }
    EndpointSnapshot snapshot() { return pipeline.snapshot_of("audit"); }

    SharedPipeline pipeline;
    MetaEvents meta;
    FakeBoard::Client board;
    Fleet fleet;
    std::shared_ptr<Endpoint> audit;

  private:
    SharedWorld& world_;
};

class SharedHealth : public testing::Test {
  protected:
    SharedHealth() {
        const auto count = [this](const Board::Change& change) {
            if (change.key == health_key || change.key == gone_key) ++told_;
        };
        spy_.watch(count, [] {});
    }

    Replica& join(const std::string& id) {
        replicas_.push_back(std::make_unique<Replica>(world_, board_, id));
        return *replicas_.back();
    }
    void poll() { world_.poll(); }
    void advance(Duration step) { world_.advance(step); }

    /// Three of them. The first event is answered with 410, all others are taken.
    void join_three() {
        for (const char* id : {"a", "b", "c"}) join(id).begin(gone_once(), receiver_);
    }
    ScriptedSink::Script gone_once() {
        return [this](const Attempt&) {
            return std::exchange(is_gone_, false) ? Outcome::refused(410) : Outcome::delivered(200);
        };
    }
    void lose_receiver() {
        replicas_.front()->pipeline.store("first");
        poll();
        advance(1s);
    }
    std::uint64_t ignored() {
        std::uint64_t sum = 0;
        for (const auto& replica : replicas_) sum += replica->snapshot().metrics.ignored_events();
        return sum;
    }
    std::uint64_t gone_replicas() {
        std::uint64_t sum = 0;
        for (const auto& replica : replicas_) sum += replica->snapshot().is_gone ? 1 : 0;
        return sum;
    }
    /// `replica` is the first and only one, and its receiver fails until it counts as down.
    void fail(Replica& replica) {
        replica.pipeline.store_many(5);
        poll();
        advance(2s);
        ASSERT_FALSE(replica.snapshot().is_up);
    }

    SharedWorld world_;
    FakeBoard board_;
    FakeBoard::Client spy_{board_};
    Receiver receiver_;
    bool is_gone_ = true;
    unsigned told_ = 0;
    std::vector<std::unique_ptr<Replica>> replicas_;
};

TEST_F(SharedHealth, receiver_that_is_gone_for_one_is_gone_for_all) {
    join_three();
    lose_receiver();
    EXPECT_EQ(gone_replicas(), 3U);

    replicas_.front()->pipeline.store_many(30);
    poll();

    EXPECT_EQ(receiver_.attempts, 1U);
    EXPECT_EQ(ignored(), 30U);
    EXPECT_EQ(world_.log.figures("audit").pending, 0U);
    for (const auto& replica : replicas_) expect_shared_conserved(replica->snapshot());
}

TEST_F(SharedHealth, what_waits_in_any_process_is_given_up_once_the_receiver_is_gone) {
    join_three();
    for (const auto& replica : replicas_) replica->audit->pause();
    replicas_.front()->pipeline.store_many(3);
    poll();
    advance(1s);

    Replica& other = join("d");
    other.begin(deliver, receiver_);
    other.fleet.gone("audit");
    poll();

    std::uint64_t given_up = 0;
    for (const auto& replica : replicas_) given_up += replica->snapshot().metrics.dead_letters();
    EXPECT_EQ(given_up, 3U);
    EXPECT_EQ(receiver_.attempts, 0U);
    EXPECT_EQ(world_.log.figures("audit").pending, 0U);
}

TEST_F(SharedHealth, resume_in_one_takes_up_what_was_gone_in_all) {
    join_three();
    lose_receiver();

    replicas_[2]->fleet.resume("audit");
    poll();

    EXPECT_EQ(gone_replicas(), 0U);
    EXPECT_FALSE(board_.texts.contains(gone_key));
    replicas_.front()->pipeline.store_many(30);
    poll();
    EXPECT_EQ(receiver_.ids.size(), 30U);
    EXPECT_EQ(ignored(), 0U);
}

TEST_F(SharedHealth, new_settings_in_one_take_up_what_was_gone_in_all) {
    join_three();
    lose_receiver();

    EndpointOptions options = replicas_[1]->options();
    options.name = "audit";
    options.make_sink = [this](const SinkContext&) {
        return std::make_unique<ScriptedSink>(receiver_, world_.clock, deliver);
    };
    replicas_[1]->audit->reconfigure(std::move(options));
    poll();

    EXPECT_EQ(gone_replicas(), 0U);
    EXPECT_FALSE(board_.texts.contains(gone_key));
}

// Its receiver may be another: a URL from a variable changes with a restart only.
TEST_F(SharedHealth, process_that_starts_later_finds_out_for_itself_that_a_receiver_is_gone) {
    join_three();
    lose_receiver();

    Replica& later = join("d");
    later.begin(gone_once(), receiver_);
    EXPECT_FALSE(later.snapshot().is_gone);
    is_gone_ = true;
    later.pipeline.store_many(40);
    poll();

    EXPECT_TRUE(later.snapshot().is_gone);
    EXPECT_EQ(receiver_.attempts, 2U);
}

TEST_F(SharedHealth, receiver_is_not_gone_for_who_has_another_configuration_of_it) {
    join_three();
    Replica& other = join("d");
    other.begin(gone_once(), receiver_, "two");
    other.audit->pause();
    lose_receiver();

    EXPECT_FALSE(other.snapshot().is_gone);
    EXPECT_EQ(gone_replicas(), 3U);
}

TEST_F(SharedHealth, new_settings_are_not_gone_by_what_is_still_told_of_the_old) {
    join_three();
    lose_receiver();
    Replica& one = *replicas_.front();
    one.board.is_cut_off = true;  // what it says now is not heard yet

    EndpointOptions options = one.options();
    options.name = "audit";
    options.make_sink = [this](const SinkContext&) {
        return std::make_unique<ScriptedSink>(receiver_, world_.clock, deliver);
    };
    one.audit->reconfigure(std::move(options));
    one.fleet.take({{"audit", "one", 1s}});
    poll();

    EXPECT_FALSE(one.snapshot().is_gone);
}

TEST_F(SharedHealth, resume_elsewhere_counts_more_than_what_could_not_be_told) {
    Replica& one = join("a");
    one.begin(gone_once(), receiver_);
    one.board.is_cut_off = true;
    lose_receiver();
    EXPECT_TRUE(one.snapshot().is_gone);

    Replica& two = join("b");
    two.begin(deliver, receiver_);
    two.fleet.resume("audit");
    poll();
    one.board.is_cut_off = false;
    one.board.read();
    poll();
    advance(2 * Fleet::beat);

    EXPECT_EQ(gone_replicas(), 0U);
}

TEST_F(SharedHealth, receiver_that_is_gone_is_told_again_until_the_board_has_it) {
    join_three();
    for (const auto& replica : replicas_) replica->board.is_cut_off = true;
    lose_receiver();
    EXPECT_EQ(gone_replicas(), 1U);

    for (const auto& replica : replicas_) replica->board.is_cut_off = false;
    advance(2 * Fleet::beat);

    EXPECT_EQ(gone_replicas(), 3U);
}

TEST_F(SharedHealth, nothing_is_told_while_all_is_well) {
    join("a").begin(deliver, receiver_);
    join("b").begin(deliver, receiver_);

    replicas_.front()->pipeline.store_many(20);
    poll();
    advance(1min);

    EXPECT_EQ(receiver_.ids.size(), 20U);
    EXPECT_EQ(told_, 0U);
}

TEST_F(SharedHealth, process_that_is_down_is_up_again_when_another_has_delivered) {
    Switched pager = taking();
    Receiver counted;
    Replica& one = join("a");
    one.begin(refuse, receiver_);
    one.pipeline.add("pager", pager.script(), counted, asking_for(meta_actions()));
    poll();
    fail(one);
    Receiver others;
    join("b").begin(deliver, others);

    advance(10min);

    EXPECT_EQ(sorted(others.ids), numbers(0, 5));
    EXPECT_TRUE(receiver_.ids.empty());
    EXPECT_TRUE(one.snapshot().is_up);
    ASSERT_EQ(pager.actions(), (Strings{"endpoint.down", "endpoint.up"}));
    EXPECT_EQ(pager.took[1].at("instance"), "a");
    EXPECT_EQ(pager.took[1].at("endpoint"), "audit");
    expect_shared_conserved(one.snapshot());
}

TEST_F(SharedHealth, process_that_goes_on_failing_stays_down_and_asks_seldom) {
    Replica& one = join("a");
    one.begin(refuse, receiver_);
    fail(one);
    Receiver others;
    join("b").begin(deliver, others);

    for (int i = 10; i < 130; ++i) {
        one.pipeline.store(std::to_string(i));
        advance(1s);
    }

    EXPECT_GT(others.ids.size(), 50U);
    EXPECT_FALSE(one.snapshot().is_up);
    EXPECT_LE(told_, 4U);
}

TEST_F(SharedHealth, who_has_delivered_since_says_so_at_once) {
    Replica& one = join("a");
    one.begin(deliver, receiver_);
    Replica& two = join("b");
    one.pipeline.store("a");
    poll();
    advance(3s);

    two.fleet.down("audit", 5s);
    poll();

    EXPECT_NE(board_.texts[health_key].find(R"("is":"up")"), std::string::npos);
    EXPECT_EQ(told_, 2U);
}

TEST_F(SharedHealth, who_has_delivered_before_waits_for_the_next_success) {
    Replica& one = join("a");
    one.begin(deliver, receiver_);
    Replica& two = join("b");
    one.pipeline.store("a");
    poll();
    advance(8s);

    two.fleet.down("audit", 5s);
    poll();
    EXPECT_NE(board_.texts[health_key].find(R"("is":"down")"), std::string::npos);
    one.pipeline.store("b");
    poll();

    EXPECT_NE(board_.texts[health_key].find(R"("is":"up")"), std::string::npos);
}

TEST_F(SharedHealth, breaker_that_has_nothing_to_try_closes_when_another_has_delivered) {
    Replica& one = join("a");
    EndpointOptions options = one.options();
    options.max_in_flight = 1;
    options.retry.strategy = RetryPolicy::Strategy::breaker;
    options.retry.threshold = 2;
    options.retry.backoff = 10s;
    options.first_hold = Duration::zero();
    one.audit = one.pipeline.add("audit", refuse, receiver_, std::move(options));
    one.fleet.take({{"audit", "one", 1s}});
    poll();
    one.pipeline.store("a");
    poll();
    ASSERT_TRUE(one.snapshot().is_breaker_open);
    one.audit->purge();

    one.audit->up_elsewhere();
    advance(10s);
    EXPECT_TRUE(one.snapshot().is_breaker_open) << "its turn comes first";
    advance(10s);

    EXPECT_FALSE(one.snapshot().is_breaker_open);
    EXPECT_EQ(receiver_.attempts, 2U);
}

}  // namespace
}  // namespace fanfare::test
