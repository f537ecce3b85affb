// What becomes of an event of a shared log that is not taken at once, and of a process that goes.
#include "shared_support.h"

namespace fanfare::test {
namespace {

using SharedRetries = SharedTest;

/// The one letter, with its attempts.
EndpointOptions with_letters(EndpointOptions options, Letters& letters) {
    options.dead_letters = &letters;
    options.retry.attempts_max = 3;
    return options;
}

TEST_F(SharedRetries, event_that_is_refused_is_tried_again_later_by_whoever_gets_it) {
    SharedPipeline& second = begin();
    bool is_up = false;
    const auto script = [&](const Attempt& a) { return is_up ? deliver(a) : refuse(a); };
    first().add("audit", script, receiver_, many_at_once());
    second.add("audit", script, receiver_, many_at_once());
    poll();
    first().store("a");
    poll();
    EXPECT_EQ(receiver_.attempts, 1U);
    EXPECT_EQ(first().snapshot_of("audit").shared->held + second.snapshot_of("audit").shared->held,
              0U);
    EXPECT_EQ(pending("audit"), 1U);

    is_up = true;
    advance(10min);

    EXPECT_EQ(receiver_.ids, Strings{"a"});
    EXPECT_EQ(receiver_.numbers, (std::vector<unsigned>{1, 2}));
    expect_shared_conserved(first().snapshot_of("audit"));
    expect_shared_conserved(second.snapshot_of("audit"));
}

TEST_F(SharedRetries, attempts_of_all_processes_count_and_the_letter_tells_of_them) {
    SharedPipeline& second = begin();
    first().add("audit", refuse, receiver_, with_letters(many_at_once(), letters_));
    second.add("audit", refuse, receiver_, with_letters(many_at_once(), letters_));
    poll();
    first().store("a");
    advance(10min);

    EXPECT_EQ(receiver_.numbers, (std::vector<unsigned>{1, 2, 3}));
    ASSERT_EQ(letters_.ids(), Strings{"a"});
    EXPECT_EQ(letters_.all.front().attempts, 3U);
    EXPECT_EQ(letters_.all.front().last_status, 500);
}

TEST_F(SharedRetries, event_stays_in_the_log_until_its_letter_is_kept) {
    first().add("audit", refuse, receiver_, with_letters(many_at_once(2), letters_));
    poll();
    first().store("a");
    advance(10min);
    ASSERT_EQ(letters_.all.size(), 1U);
    EXPECT_EQ(pending("audit"), 1U);
    EXPECT_EQ(receiver_.attempts, 3U);

    letters_.all.front().on_kept(*letters_.all.front().event);
    poll();

    EXPECT_EQ(pending("audit"), 0U);
    EXPECT_EQ(first().snapshot_of("audit").shared->held, 0U);
    expect_shared_conserved(first().snapshot_of("audit"));
}

TEST_F(SharedRetries, letter_that_is_not_kept_before_the_process_dies_is_written_again) {
    first().add("audit", refuse, receiver_, with_letters(many_at_once(2), letters_));
    poll();
    first().store("a");
    advance(10min);
    const std::function<void(const Event&)> on_kept = letters_.all.front().on_kept;
    const EventPtr event = letters_.all.front().event;
    first().kill();
    processes_.clear();
    on_kept(*event);
    EXPECT_EQ(pending("audit"), 1U);

    begin().add("audit", refuse, receiver_, with_letters(many_at_once(2), letters_));
    advance(1min);

    EXPECT_EQ(letters_.ids(), (Strings{"a", "a"}));
    letters_.all.back().on_kept(*letters_.all.back().event);
    EXPECT_EQ(pending("audit"), 0U);
}

TEST_F(SharedRetries, shutdown_gives_back_what_is_held_and_not_under_way_at_once) {
    first().attempts_take = 5s;
    EndpointOptions options = many_at_once(4);
    const auto endpoint = first().add("audit", deliver, receiver_, std::move(options));
    poll();
    first().store("a");
    poll();
    endpoint->pause();
    for (const std::string& id : numbers(0, 3)) first().store(id);
    poll();
    Receiver others;
    begin().add("audit", deliver, others, many_at_once(4));
    poll();
    EXPECT_TRUE(others.ids.empty());

    const TimePoint begun = world_.clock.now();
    Running<void> running(world_.context, first().broadcaster.drain(begun + 20s));
    poll();

    EXPECT_EQ(sorted(others.ids), numbers(0, 3));
    EXPECT_FALSE(running.is_done());
    advance(5s);
    EXPECT_TRUE(running.is_done());
    EXPECT_EQ(receiver_.ids, Strings{"a"});
    EXPECT_EQ(pending("audit"), 0U);
}

TEST_F(SharedRetries, attempt_that_is_cut_off_by_a_shutdown_goes_back_at_once) {
    first().attempts_take = 1h;
    first().add("audit", deliver, receiver_);
    Receiver others;
    begin().add("audit", deliver, others);
    poll();
    first().store("a");
    poll();
    const bool was_here = first().snapshot_of("audit").in_flight_requests == 1;

    first().drain(20s);
    poll();

    EXPECT_EQ(others.ids, Strings{"a"});
    EXPECT_EQ(others.numbers, std::vector<unsigned>{was_here ? 2U : 1U});
}

TEST_F(SharedRetries, removed_endpoint_leaves_its_events_to_others) {
    const auto endpoint = first().add("audit", refuse, receiver_);
    poll();
    first().store_many(3);
    poll();
    first().broadcaster.remove(endpoint, 20s);
    advance(1s);
    EXPECT_EQ(pending("audit"), 3U);

    Receiver others;
    begin().add("audit", deliver, others);
    poll();

    EXPECT_EQ(others.ids, numbers(0, 3));
}

TEST_F(SharedRetries, what_a_dead_process_held_goes_to_another_after_its_silence) {
    first().attempts_take = 1h;
    first().add("audit", deliver, receiver_, many_at_once());
    poll();
    first().store_many(10);
    poll();
    Receiver others;
    begin().add("audit", deliver, others, many_at_once());
    poll();
    first().kill();
    advance(9s);
    EXPECT_TRUE(others.ids.empty());
    advance(FakeSharedLog::silence_max);

    EXPECT_EQ(sorted(others.ids), numbers(0, 10));
    EXPECT_EQ(pending("audit"), 0U);
}

TEST_F(SharedRetries, receiver_that_is_gone_for_good_gets_no_more_and_what_waits_is_given_up) {
    EndpointOptions options;
    options.dead_letters = &letters_;
    options.retry.gone_disables = true;
    const auto gone = [](const Attempt&) { return Outcome::refused(410); };
    const auto endpoint = first().add("audit", gone, receiver_, std::move(options));
    poll();
    endpoint->pause();
    first().store_many(5);
    poll();
    advance(1s);
    endpoint->resume();
    for (int i = 0; i < 10; ++i) {
        poll();
        for (DeadLetter& letter : letters_.all) {
            if (letter.on_kept) std::exchange(letter.on_kept, nullptr)(*letter.event);
        }
    }
    advance(1s);
    first().store("later");
    poll();

    EXPECT_EQ(receiver_.attempts, 1U);
    EXPECT_EQ(letters_.ids(), numbers(0, 5));
    EXPECT_EQ(pending("audit"), 0U);
    EXPECT_EQ(first().snapshot_of("audit").metrics.ignored_events(), 1U);
    expect_shared_conserved(first().snapshot_of("audit"));
}

TEST_F(SharedRetries, log_in_another_s_place_is_worked_off_from_its_beginning) {
    first().attempts_take = 5s;
    first().add("audit", deliver, receiver_, many_at_once());
    poll();
    first().store("old");
    poll();
    world_.log.replace("log-2");
    advance(1s);
    first().store("new");
    advance(1min);

    EXPECT_EQ(receiver_.ids, (Strings{"old", "new"}));
    EXPECT_EQ(pending("audit"), 0U);
}

}  // namespace
}  // namespace fanfare::test
