#include "store/dead_letters.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <csignal>
#include <fstream>

#include "fanfare/budget.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr WallTime noon{std::chrono::seconds(1'700'000'000)};

DeadLetter letter(const std::string& id, const std::string& endpoint = "audit",
                  std::size_t payload_bytes = 0) {
    std::string payload = R"({"id":")" + id + R"(","action":"push"})";
    if (payload.size() < payload_bytes) payload.append(payload_bytes - payload.size(), ' ');
    EventFields fields;
    fields.id = id;
    fields.action = "push";
    fields.traceparent = "00-1-2-03";
    DeadLetter result;
    result.endpoint = endpoint;
    result.event = Event::make(payload, fields, MediaType::registry_v1);
    result.reason = DeadReason::max_attempts;
    result.last_error = Reason::timeout;
    result.attempts = 7;
    result.accepted_at = noon;
    result.given_up_at = noon + 1500ms;
    return result;
}

class DeadLetters : public testing::Test {
  protected:
    void open(std::uint64_t bytes_max = 1024 * 1024, std::size_t waiting_max = 65536) {
        store_.reset();
        auto opened = try_open(bytes_max, waiting_max);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        store_ = std::move(*opened);
    }

    Result<std::unique_ptr<DeadLetterStore>> try_open(std::uint64_t bytes_max = 1024 * 1024,
                                                      std::size_t waiting_max = 65536) {
        DeadLetterStore::Options options;
        options.dir = dir();
        options.bytes_max = bytes_max;
        options.waiting_max = waiting_max;
        return DeadLetterStore::open(options, clock_, log_);
    }

    std::string dir() const { return directory_.path() / "letters"; }
    std::string file() const { return dir() + "/dead_letters.db"; }

    template <class T>
    T wait(awaitable<T> task) {
        net::io_context context(1);
        auto result = net::co_spawn(context, std::move(task), net::use_future);
        context.run();
        return result.get();
    }

    /// Until all that was put is written.
    void flush() {
        net::io_context context(1);
        net::co_spawn(context, store_->flush(10s), net::use_future);
        context.run();
    }

    std::vector<StoredLetter> read(LetterRange range = {}) {
        flush();
        auto letters = wait(store_->read(std::move(range)));
        EXPECT_TRUE(letters.has_value());
        return letters.has_value() ? *letters : std::vector<StoredLetter>();
    }

    std::vector<std::string> ids(LetterRange range = {}) {
        range.letters_max = 100000;
        std::vector<std::string> result;
        for (const StoredLetter& stored : read(std::move(range))) result.push_back(stored.event_id);
        return result;
    }

    bool has_logged(const std::string& part) {
        return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }

    std::uint64_t lost(LostReason reason) {
        return store_->counts().lost[static_cast<std::size_t>(reason)];
    }

    test::TmpDir directory_;
    SteadyClock clock_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    std::unique_ptr<DeadLetterStore> store_;
};

using Strings = std::vector<std::string>;

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
    EXPECT_GE(left.size(), 8U);
    EXPECT_EQ(left.back(), "99");
    EXPECT_EQ(left.front(), std::to_string(100 - left.size()));
    EXPECT_EQ(lost(LostReason::evicted), 100 - left.size());
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
    const std::vector<std::int64_t> ids_erased{1};

    EXPECT_EQ(*wait(store_->erase(ids_erased, LetterRemoval::replayed)), 1U);
    EXPECT_EQ(*wait(store_->erase(ids_erased, LetterRemoval::replayed)), 0U);
    open();
    store_->put(letter("e2"));

    EXPECT_EQ(read()[0].id, 2);
    EXPECT_EQ(*wait(store_->last_id()), 2);
}

TEST_F(DeadLetters, are_for_one_process_at_a_time) {
    open();

    const auto second = try_open();

    ASSERT_TRUE(second.has_error());
    EXPECT_EQ(second.error().message(), dir() + " is in use by another process");
}

TEST_F(DeadLetters, are_readable_by_their_owner_only) {
    open();
    store_->put(letter("e1"));
    ids();

    for (const std::string& name : {file(), file() + "-wal", dir() + "/dead_letters.lock"}) {
        struct stat status {};
        ASSERT_EQ(::stat(name.c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
    }
    struct stat status {};
    ASSERT_EQ(::stat(dir().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(DeadLetters, begin_anew_when_the_file_is_no_database) {
    std::filesystem::create_directories(dir());
    std::ofstream(file()) << std::string(5000, 'x');

    open();
    store_->put(letter("e1"));

    EXPECT_EQ(ids(), Strings{"e1"});
    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
    EXPECT_TRUE(has_logged("damaged file moved aside"));
}

TEST_F(DeadLetters, begin_anew_when_pages_of_the_file_are_damaged) {
    open();
    for (int i = 0; i < 500; ++i) store_->put(letter(std::to_string(i), "audit", 500));
    store_.reset();
    std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(3 * 4096);
    damaged << std::string(8 * 4096, '\xff');
    damaged.close();

    open();

    EXPECT_TRUE(has_logged("damaged file moved aside"));
    EXPECT_TRUE(ids().empty());
}

TEST_F(DeadLetters, of_a_newer_version_are_left_alone) {
    open();
    store_.reset();
    Database(file()).execute("PRAGMA user_version = 2");

    const auto opened = try_open();

    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().message(),
              file() + " was written by a newer fanfare (schema 2, this one knows 1)");
}

TEST_F(DeadLetters, need_a_folder_that_can_be_made) {
    std::ofstream(directory_.path() / "letters") << "a file";

    const auto opened = try_open();

    ASSERT_TRUE(opened.has_error());
    EXPECT_NE(opened.error().message().find(dir()), std::string::npos);
}

/// Files of this process may not grow beyond a size, as on a disk that is full.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) {
        old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &old_);
        rlimit limit = old_;
        limit.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk() {
        setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_handler_);
    }

  private:
    void (*old_handler_)(int);
    rlimit old_{};
};

TEST_F(DeadLetters, are_lost_and_counted_while_the_disk_is_full_and_kept_again_afterwards) {
    open(64 * 1024 * 1024);
    store_->put(letter("before"));
    ids();
    {
        const FullDisk full(100'000);
        for (int i = 0; i < 10; ++i) store_->put(letter("full", "audit", 100'000));
        ids();
    }
    store_->put(letter("after"));
    const Strings left = ids();

    EXPECT_EQ(left.front(), "before");
    EXPECT_EQ(left.back(), "after");
    EXPECT_GE(lost(LostReason::write), 1U);
    EXPECT_TRUE(has_logged("dead letters could not be written reason=write"));
    EXPECT_EQ(store_->counts().kept.letters, left.size());
}

TEST_F(DeadLetters, are_written_when_flush_ends) {
    open();
    for (int i = 0; i < 3000; ++i) store_->put(letter(std::to_string(i)));

    flush();

    EXPECT_EQ(store_->counts().stored, 3000U);
}

}  // namespace
}  // namespace fanfare
