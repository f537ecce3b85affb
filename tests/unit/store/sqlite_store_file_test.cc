// What can be wrong with a store's file, and with its folder.
#include <sys/stat.h>

#include <chrono>

#include "event_store_support.h"

namespace fanfare::test {
namespace {

TEST_F(EventStores, are_for_one_process_at_a_time) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");

    const auto second = try_open();

    ASSERT_TRUE(second.has_error());
    EXPECT_EQ(second.error().message(), options_.dir + " is in use by another process");
    store_->commit(appending({1, 1}, {audit}));
    EXPECT_EQ(ids(audit), Ids{"e1"});
}

TEST_F(EventStores, are_readable_by_their_owner_only) {
    open();
    store_->open_endpoint("audit");

    for (const std::string& name : {file(), file() + "-wal", options_.dir + "/lock"}) {
        struct stat status {};
        ASSERT_EQ(::stat(name.c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
    }
    EXPECT_FALSE(std::filesystem::exists(file() + "-shm"));
    EXPECT_FALSE(std::filesystem::exists(file() + ".new"));
}

TEST_F(EventStores, of_a_newer_version_are_left_alone) {
    open();
    store_.reset();
    Database(file()).execute("PRAGMA user_version = 2");

    const auto opened = try_open();

    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().message(),
              file() + " was written by a newer fanfare (schema 2, this one knows 1)");
    EXPECT_EQ(Database(file()).number("PRAGMA user_version"), 2);
    EXPECT_FALSE(std::filesystem::exists(file() + ".damaged"));
}

TEST_F(EventStores, leave_an_empty_log_when_they_are_closed) {
    open();
    store_->commit(appending({1, 100}, {store_->open_endpoint("audit")}));
    EXPECT_GT(store_->stats().wal_bytes, 0U);

    store_.reset();

    std::error_code missing;
    const auto bytes = std::filesystem::file_size(file() + "-wal", missing);
    EXPECT_TRUE(missing || bytes == 0);
}

TEST_F(EventStores, may_be_asked_to_be_there_already) {
    options_.must_exist = true;

    const auto opened = try_open();

    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().message(), "there is no store in " + options_.dir);
    EXPECT_FALSE(std::filesystem::exists(options_.dir));
}

TEST_F(EventStores, of_every_schema_that_was_shipped_can_be_read) {
    const std::string data = FANFARE_TEST_DATA;
    std::ifstream in(data + "/stores/schema-1.sql");
    const std::string sql{std::istreambuf_iterator<char>(in), {}};
    ASSERT_FALSE(sql.empty());
    std::filesystem::create_directories(options_.dir);
    Database(file()).execute(sql.c_str());

    open();

    EXPECT_EQ(ids(1), (Ids{"e2", "e3", "e5"}));
    EXPECT_EQ(ids(2), Ids{"e4"});
    EXPECT_EQ(store_->last_seq(), 6U);
    EXPECT_EQ(store_->page(1, 0, {}).events[0].progress->attempts, 3U);
    EXPECT_EQ(store_->endpoints()[1].removed_at, first_accepted + std::chrono::seconds(60));
    EXPECT_EQ(store_->check(), Ids());
}

/// Each leaves a file that cannot be used.
using Destroy = void (*)(const std::string& file);

void empty_file(const std::string& file) { std::filesystem::resize_file(file, 0); }

void zero_all(const std::string& file) {
    const auto size = std::filesystem::file_size(file);
    std::filesystem::resize_file(file, 0);
    std::filesystem::resize_file(file, size);
}

void fill_with_text(const std::string& file) { std::ofstream(file) << std::string(50'000, 'x'); }

/// With its head, but without its tables.
void cut_in_first_page(const std::string& file) { std::filesystem::resize_file(file, 300); }

/// Too little for SQLite to see that it is its own.
void cut_to_a_byte(const std::string& file) { std::filesystem::resize_file(file, 1); }

std::string content_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class DestroyedStores : public EventStores, public testing::WithParamInterface<Destroy> {
  protected:
    void destroy() {
        open();
        store_->commit(appending({1, 100}, {store_->open_endpoint("audit")}, 1000));
        store_.reset();
        GetParam()(file());
    }
};

TEST_P(DestroyedStores, are_moved_aside) {
    destroy();

    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 1}, {audit}));

    EXPECT_EQ(ids(audit), Ids{"e1"});
    EXPECT_EQ(store_->stats().moved_aside, 1U);
    EXPECT_TRUE(has_logged("damaged store moved aside"));
    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
    open();
    EXPECT_EQ(ids(audit), Ids{"e1"});
    EXPECT_EQ(store_->stats().moved_aside, 0U);
}

TEST_P(DestroyedStores, are_refused_if_that_is_asked_for) {
    destroy();
    options_.recovery = Recovery::strict;
    const std::string before = content_of(file());

    const auto opened = try_open();

    ASSERT_TRUE(opened.has_error());
    EXPECT_TRUE(opened.error().message().starts_with(file() + ": ")) << opened.error().message();
    EXPECT_FALSE(std::filesystem::exists(file() + ".damaged"));
    EXPECT_EQ(content_of(file()), before);
}

INSTANTIATE_TEST_SUITE_P(Files, DestroyedStores,
                         testing::Values(empty_file, zero_all, fill_with_text, cut_in_first_page,
                                         cut_to_a_byte));

TEST_F(EventStores, keep_more_than_one_unusable_file) {
    for (int i = 0; i < 2; ++i) {
        open();
        store_.reset();
        fill_with_text(file());
    }

    open();

    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged.2"));
}

/// Flips one bit where `text` stands in the file.
void flip_bit_of(const std::string& file, const std::string& text) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(stream), {}};
    const std::size_t at = all.find(text);
    ASSERT_NE(at, std::string::npos);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(text.front() ^ 1));
}

TEST_F(EventStores, never_give_a_damaged_event_and_count_it_once) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    const EndpointId other = store_->open_endpoint("other");
    store_->commit(appending({1, 9}, {audit, other}, 1000));
    store_.reset();
    flip_bit_of(file(), R"({"id":"e4")");

    open();

    EXPECT_EQ(ids(audit), (Ids{"e1", "e2", "e3", "damaged", "e5", "e6", "e7", "e8", "e9"}));
    EXPECT_EQ(ids(other)[3], "damaged");
    EXPECT_EQ(store_->stats().damaged_events, 1U);
    EXPECT_EQ(store_->check(), Ids{"damaged events: 1, the first is seq 4"});
    for (const EndpointId endpoint : {audit, other}) {
        store_->commit(acknowledging(endpoint, {1, 9}));
    }
    EXPECT_EQ(store_->check(), Ids());
    store_.reset();
    EXPECT_EQ(Database(file()).number("SELECT seq FROM damaged"), 4);
}

TEST_F(EventStores, notice_damage_in_every_part_of_an_event) {
    for (const std::string part : {"e7", "push", "00-1-2-03", "a=b", "application/vnd.oci"}) {
        std::filesystem::remove_all(options_.dir);
        open();
        const EndpointId audit = store_->open_endpoint("audit");
        store_->commit(appending({7, 7}, {audit}));
        store_.reset();
        flip_bit_of(file(), part);

        open();

        EXPECT_EQ(ids(audit), Ids{"damaged"}) << part;
    }
}

TEST_F(EventStores, give_what_is_left_around_a_damaged_page) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 100}, {audit}, 1000));
    store_.reset();
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(stream), {}};
    const std::size_t at = all.find(R"({"id":"e50")");
    ASSERT_NE(at, std::string::npos);
    stream.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
    stream << std::string(4096, '\xff');
    stream.close();

    open();
    const Ids found = ids(audit);

    const auto damaged = std::count(found.begin(), found.end(), "damaged");
    EXPECT_EQ(found.size(), 100U);
    EXPECT_GE(damaged, 1);
    EXPECT_LE(damaged, 4);
    EXPECT_EQ(found[49], "damaged");
    EXPECT_FALSE(store_->check().empty());
}

TEST_F(EventStores, are_looked_at_closely_after_they_were_found_damaged) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 100}, {audit}, 1000));
    store_.reset();
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(stream), {}};
    // The last page of events is the one that the next event goes to.
    const std::size_t at = all.find(R"({"id":"e100")");
    stream.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
    stream << std::string(4096, '\xff');
    stream.close();
    open();
    const std::string id = store_->id();
    EXPECT_THROW(store_->commit(appending({101, 101}, {audit})), StoreBroken);

    open();

    EXPECT_EQ(store_->stats().moved_aside, 1U);
    EXPECT_TRUE(has_logged("damaged store moved aside"));
    EXPECT_EQ(store_->id(), id);
    EXPECT_EQ(store_->last_seq(), 100U);
    store_->commit(appending({101, 101}, {audit}));
    const Ids found = ids(audit);
    EXPECT_EQ(found.size(), 101U) << "also what is lost still waits, as damaged";
    EXPECT_EQ(found[49], "e50");
    EXPECT_EQ(found[99], "damaged");
    EXPECT_EQ(found[100], "e101");
    store_->commit(acknowledging(audit, {1, 101}));
    EXPECT_EQ(store_->check(), Ids());
}

TEST_F(EventStores, keep_what_is_left_of_a_file_that_was_cut_short) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    Changes changes = appending({1, 100}, {audit}, 1000);
    StoredProgress progress;
    progress.attempts = 7;
    changes.progress.push_back({audit, 3, progress});
    store_->commit(changes);
    store_->remove_endpoint(store_->open_endpoint("gone"), first_accepted);
    store_.reset();
    std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);

    open();

    EXPECT_EQ(store_->stats().moved_aside, 1U);
    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
    const Ids found = ids(audit);
    ASSERT_EQ(found.size(), 100U);
    EXPECT_EQ(found.front(), "e1");
    EXPECT_EQ(found.back(), "damaged");
    EXPECT_EQ(store_->page(audit, 2, {}).events[0].progress->attempts, 7U);
    EXPECT_EQ(store_->endpoints()[1].removed_at, first_accepted);
    EXPECT_FALSE(store_->endpoints()[0].removed_at.has_value());
}

TEST_F(EventStores, are_begun_anew_with_all_if_one_bit_of_the_head_forbids_writing) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 2}, {audit}));
    store_.reset();
    std::fstream head(file(), std::ios::in | std::ios::out | std::ios::binary);
    head.seekp(18);  // the version of the format that writers must know
    head.put(6);
    head.close();

    open();
    store_->commit(appending({3, 3}, {audit}));

    EXPECT_EQ(store_->stats().moved_aside, 1U);
    EXPECT_EQ(ids(audit), (Ids{"e1", "e2", "e3"}));
}

TEST_F(EventStores, finish_a_salvage_that_was_cut_short) {
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    store_->commit(appending({1, 1}, {audit}));
    store_.reset();
    std::filesystem::rename(file(), file() + ".salvaged");
    fill_with_text(file());

    open();

    EXPECT_EQ(ids(audit), Ids{"e1"});
    EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
    EXPECT_FALSE(std::filesystem::exists(file() + ".salvaged"));
}

TEST_F(EventStores, take_acknowledgements_when_they_are_full_and_events_again_afterwards) {
    options_.bytes_max = 2 << 20;
    options_.is_every_commit_synced = false;  // takes time
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    std::uint64_t seq = 0;
    const auto fill = [&] {
        for (;;) {
            store_->commit(appending({seq + 1, seq + 1}, {audit}, 5000));
            ++seq;
        }
    };

    EXPECT_THROW(fill(), StoreFull);
    const std::uint64_t stored = seq;
    EXPECT_GT(stored, 100U);
    EXPECT_FALSE(store_->has_room());
    EXPECT_THROW(store_->commit(appending({seq + 1, seq + 1}, {audit}, 5000)), StoreFull);
    // One by one, which needs the most room: every second one leaves a gap.
    for (std::uint64_t i = 2; i <= stored; i += 2) store_->commit(acknowledging(audit, {i, i}));
    EXPECT_TRUE(store_->has_room());
    EXPECT_THROW(fill(), StoreFull);

    EXPECT_GT(seq, stored + 40);
    EXPECT_LE(std::filesystem::file_size(file()), options_.bytes_max);
    open();
    EXPECT_EQ(ids(audit).size(), seq - stored / 2);
    EXPECT_EQ(store_->check(), Ids());
}

TEST_F(EventStores, are_ready_at_once_whatever_waits) {
    constexpr std::uint64_t events = 100'000;
    open();
    const EndpointId audit = store_->open_endpoint("audit");
    const EndpointId other = store_->open_endpoint("other");
    for (std::uint64_t seq = 1; seq < events; seq += 10'000) {
        Changes changes = appending({seq, seq + 9999}, {audit});
        for (std::uint64_t i = seq; i < seq + 10'000; i += 2) {
            changes.wanted.push_back({other, {i, i}, 0});
        }
        store_->commit(changes);
    }
    store_.reset();
    const auto begin = std::chrono::steady_clock::now();

    open();

    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(store_->endpoints().at(0).pending.events, events);
    EXPECT_EQ(store_->endpoints().at(1).pending.events, events / 2);
}

}  // namespace
}  // namespace fanfare::test
