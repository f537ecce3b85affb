#include <filesystem>

#include "store_support.h"

namespace fanfare::test {
namespace {

TEST_F(DeadLetters, keeps_all_that_is_known_of_a_letter) {
    open();

    store_->put(letter("e1"));
    LetterRange range;
    range.with_payload = true;
    const std::vector<StoredLetter> letters = read(range);

    ASSERT_EQ(letters.size(), 1U);
    const StoredLetter& stored = letters[0];
    EXPECT_EQ(stored.id, 1);
    EXPECT_EQ(stored.endpoint, "audit");
    EXPECT_EQ(stored.event_id, "e1");
    EXPECT_EQ(stored.action, "push");
    EXPECT_EQ(stored.media_type, MediaType::registry_v1);
    EXPECT_EQ(stored.traceparent, "00-1-2-03");
    EXPECT_EQ(stored.reason, "max_attempts");
    EXPECT_EQ(stored.last_status, 0);
    EXPECT_EQ(stored.last_error, "timeout");
    EXPECT_EQ(stored.attempts, 7U);
    EXPECT_EQ(stored.accepted_at, noon);
    EXPECT_EQ(stored.given_up_at, noon + 1500ms);
    EXPECT_EQ(stored.payload, R"({"id":"e1","action":"push"})");
    EXPECT_EQ(stored.payload_bytes, stored.payload.size());
    EXPECT_EQ(store_->counts().stored, 1U);
}

TEST_F(DeadLetters, has_no_error_where_there_was_an_answer) {
    open();
    DeadLetter refused = letter("e1");
    refused.last_status = 422;
    refused.last_error = Reason::status;

    store_->put(std::move(refused));

    EXPECT_EQ(read()[0].last_status, 422);
    EXPECT_EQ(read()[0].last_error, "");
}

TEST_F(DeadLetters, knows_events_of_fanfare_s_own_again) {
    open();
    DeadLetter own = letter("e1");
    own.event = Event::make("{}", EventFields{.id = "e1"}, MediaType::meta);

    store_->put(std::move(own));

    EXPECT_EQ(read()[0].media_type, MediaType::meta);
}

TEST_F(DeadLetters, keeps_payloads_byte_for_byte) {
    open();
    std::string payload = "{\"id\":\"e1\" , \"n\":1.10,\"x\":\"\\u0000\xc3\xa9\"}\n";
    payload.push_back('\0');
    DeadLetter odd = letter("e1");
    odd.event = Event::make(payload, EventFields{.id = "e1"});

    store_->put(std::move(odd));
    LetterRange range;
    range.with_payload = true;

    EXPECT_EQ(read(range)[0].payload, payload);
}

TEST_F(DeadLetters, are_still_there_after_a_restart) {
    open();
    for (int i = 0; i < 2500; ++i) store_->put(letter(std::to_string(i)));

    open();

    const Strings all = ids();
    ASSERT_EQ(all.size(), 2500U);
    EXPECT_EQ(all.front(), "0");
    EXPECT_EQ(all.back(), "2499");
    EXPECT_EQ(store_->counts().kept.letters, 2500U);
    EXPECT_EQ(store_->counts().stored, 0U);
}

TEST_F(DeadLetters, are_found_by_endpoint_reason_time_and_id) {
    open();
    store_->put(letter("e1"));
    store_->put(letter("e2", "billing"));
    DeadLetter third = letter("e3", "billing");
    third.reason = DeadReason::gone;
    third.given_up_at += 1h;
    store_->put(std::move(third));

    LetterRange range;
    range.filter.endpoint = "billing";
    EXPECT_EQ(ids(range), (Strings{"e2", "e3"}));
    range.filter.reason = "gone";
    EXPECT_EQ(ids(range), Strings{"e3"});
    range.filter = {};
    range.filter.since = noon + 1h;
    EXPECT_EQ(ids(range), Strings{"e3"});
    range.filter = {};
    range.filter.id = 2;
    EXPECT_EQ(ids(range), Strings{"e2"});
}

TEST_F(DeadLetters, are_read_page_by_page) {
    open();
    for (int i = 1; i <= 5; ++i) store_->put(letter(std::to_string(i)));
    LetterRange range;
    range.after = 1;
    range.until = 4;
    range.letters_max = 2;

    const std::vector<StoredLetter> first = read(range);
    range.after = first.back().id;
    const std::vector<StoredLetter> second = read(range);

    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].event_id, "2");
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].event_id, "4");
}

TEST_F(DeadLetters, are_read_with_a_bound_on_payload_but_one_at_least) {
    open();
    for (int i = 1; i <= 3; ++i) store_->put(letter(std::to_string(i), "audit", 1000));
    LetterRange range;
    range.with_payload = true;
    range.payload_bytes_max = 1500;

    EXPECT_EQ(read(range).size(), 2U);
    range.payload_bytes_max = 1;
    EXPECT_EQ(read(range).size(), 1U);
}

TEST_F(DeadLetters, make_room_for_newer_ones) {
    open(10'000);

    for (int i = 0; i < 100; ++i) store_->put(letter(std::to_string(i), "audit", 700));
    const Strings left = ids();

    EXPECT_LE(store_->counts().kept.bytes, 10'000U);
    EXPECT_GE(left.size(), 5U);
    EXPECT_EQ(left.back(), "99");
    EXPECT_EQ(lost(LostReason::evicted) + lost(LostReason::backlog), 100 - left.size());
    store_.reset();
    EXPECT_TRUE(has_logged("dead letters are lost reason=evicted"));
}

TEST_F(DeadLetters, fit_a_bound_that_was_made_smaller_once_one_is_added) {
    open(100'000);
    for (int i = 0; i < 50; ++i) store_->put(letter(std::to_string(i), "audit", 700));

    open(5'000);
    store_->put(letter("last", "audit", 700));

    EXPECT_EQ(ids().back(), "last");
    EXPECT_LE(store_->counts().kept.bytes, 5'000U);
}

TEST_F(DeadLetters, leave_out_one_that_is_larger_than_all_may_be) {
    open(10'000);

    store_->put(letter("small"));
    store_->put(letter("huge", "audit", 20'000));
    store_->put(letter("also small"));

    EXPECT_EQ(ids(), (Strings{"small", "also small"}));
    EXPECT_EQ(lost(LostReason::too_large), 1U);
}

TEST_F(DeadLetters, hold_the_budget_only_until_they_are_written) {
    open();
    Budget budget(1000);
    DeadLetter held = letter("e1");
    held.event = Event::make("{}", EventFields{.id = "e1"}, MediaType::json,
                             std::move(*budget.try_reserve(500)));

    store_->put(std::move(held));
    ids();

    EXPECT_EQ(budget.bytes_used(), 0U);
}

TEST_F(DeadLetters, are_bounded_on_their_way_to_the_disk) {
    open(1024 * 1024, 0);

    store_->put(letter("e1"));

    EXPECT_EQ(lost(LostReason::backlog), 1U);
}

TEST_F(DeadLetters, take_little_more_of_a_disk_than_they_may) {
    open(std::uint64_t{1} << 20);
    std::uintmax_t largest = 0;
    for (int i = 0; i < 5000; ++i) {
        store_->put(letter(std::to_string(i), "audit", 2000));
        if (i % 500 != 499) continue;
        flush();
        std::uintmax_t bytes = 0;
        for (const auto& entry : std::filesystem::directory_iterator(dir())) {
            bytes += entry.file_size();
        }
        largest = std::max(largest, bytes);
    }

    EXPECT_GT(largest, std::uintmax_t{1} << 20);
    EXPECT_LT(largest, std::uintmax_t{5} << 20);
}

// A receiver that is gone may leave a whole queue at once.
TEST_F(DeadLetters, are_all_kept_however_many_come_at_once) {
    open(std::uint64_t{256} * 1024 * 1024);
    const DeadLetter one = letter("e1");

    for (int i = 0; i < 150'000; ++i) store_->put(one);

    EXPECT_EQ(flush(60s), 0U);
    EXPECT_EQ(store_->counts().kept.letters, 150'000U);
    EXPECT_EQ(lost(LostReason::backlog), 0U);
}

TEST_F(DeadLetters, can_be_purged_by_filter) {
    open(64 * 1024 * 1024);
    for (int i = 0; i < 12'000; ++i) store_->put(letter("e", i % 2 == 0 ? "audit" : "billing"));
    LetterFilter filter;
    filter.endpoint = "billing";
    flush();

    const auto purged = wait(store_->purge(filter));

    EXPECT_EQ(*purged, 6000U);
    EXPECT_EQ(store_->counts().kept.letters, 6000U);
    EXPECT_EQ(store_->counts().purged, 6000U);
    EXPECT_EQ(*wait(store_->purge({})), 6000U);
    EXPECT_EQ(store_->counts().kept.bytes, 0U);
}

TEST_F(DeadLetters, never_use_an_id_twice) {
    open();
    store_->put(letter("e1"));
    flush();

    EXPECT_EQ(*wait(store_->purge({})), 1U);
    EXPECT_EQ(*wait(store_->purge({})), 0U);
    open();
    store_->put(letter("e2"));

    EXPECT_EQ(read()[0].id, 2);
    EXPECT_EQ(*wait(store_->last_id()), 2);
}

}  // namespace
}  // namespace fanfare::test
