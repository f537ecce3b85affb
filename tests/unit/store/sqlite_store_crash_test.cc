// What a store has on the disk when the power goes, or the disk fails, at any moment.
#include <random>
#include <set>

#include "event_store_support.h"
#include "fault_vfs.h"

namespace fanfare::test {
namespace {

using Kind = DiskOperation::Kind;

class CrashingStores : public EventStores {
  protected:
    ~CrashingStores() override { store_.reset(); }  // it writes when it is closed

    /// With a store that has an endpoint and has been closed.
    void prepare() {
        options_.vfs = nullptr;
        open();
        endpoint_ = store_->open_endpoint("audit");
        store_.reset();
        options_.vfs = vfs_.name();
        options_.log_pages = 50;
    }

    /// One after the other appends and acknowledges, and notes what must be there.
    void commit_some() {
        const std::uint64_t first = store_->last_seq() + 1;
        Changes changes = appending({first, first + random_() % 3}, {endpoint_}, random_() % 9000);
        std::set<std::uint64_t> after = states_.back();
        for (const NewEvent& event : changes.events) after.insert(event.seq);
        if (random_() % 2 == 0 && !after.empty()) {
            const SeqRange done{*after.begin(), *after.begin() + random_() % 4};
            changes.acknowledged.push_back({endpoint_, SeqRanges(done), 0});
            after.erase(after.begin(), after.upper_bound(done.last));
        }
        // Before the commit: what fails half-way may be there or not.
        states_.push_back(after);
        store_->commit(changes);
        commits_.push_back(vfs_.operations.size());
    }

    std::set<std::uint64_t> pending() {
        std::set<std::uint64_t> result;
        StoredPage page;
        do {
            page = store_->page(endpoint_, result.empty() ? 0 : *result.rbegin(), {});
            for (const StoredEvent& event : page.events) {
                if (event.event != nullptr) result.insert(event.seq);
            }
        } while (page.has_more);
        return result;
    }

    /// Whether what is found after a power cut is what was committed, or one commit more.
    bool survives_cut_after(std::size_t operations, const DiskImage& start) {
        const auto end = vfs_.operations.begin() + static_cast<std::ptrdiff_t>(operations);
        const DiskImage image = after_power_cut(start, {vfs_.operations.begin(), end}, random_);
        const auto committed = static_cast<std::size_t>(
            std::upper_bound(commits_.begin(), commits_.end(), operations) - commits_.begin());
        const SqliteStoreOptions before = options_;
        options_.dir = directory_.path() / "image";
        options_.vfs = nullptr;
        write_image(image, options_.dir);
        open();
        const std::set<std::uint64_t> found = pending();
        const bool is_sound = store_->stats().moved_aside == 0 && store_->check().empty();
        store_.reset();
        options_ = before;
        return is_sound && (found == states_[committed] ||
                            (committed + 1 < states_.size() && found == states_[committed + 1]));
    }

    /// How many of so many power cuts lose something.
    int losses_in(int cuts) {
        prepare();
        const DiskImage start = read_image(options_.dir);
        open();
        commits_.assign(1, vfs_.operations.size());
        states_.assign(2, {});
        for (int i = 0; i < 80; ++i) commit_some();
        const std::size_t operations = vfs_.operations.size();
        store_.reset();
        int losses = 0;
        for (int i = 0; i < cuts; ++i) {
            if (!survives_cut_after(random_() % operations, start)) ++losses;
        }
        return losses;
    }

    FaultVfs vfs_;
    unsigned seed_ = std::random_device{}();
    std::mt19937 random_{seed_};
    EndpointId endpoint_ = 0;
    /// After each commit: what waits, and how much the disk had been told. One more before the
    /// first, for what opening does.
    std::vector<std::set<std::uint64_t>> states_;
    std::vector<std::size_t> commits_;
};

TEST_F(CrashingStores, lose_nothing_by_a_power_cut) {
    SCOPED_TRACE("seed " + std::to_string(seed_));

    EXPECT_EQ(losses_in(150), 0);
}

TEST_F(CrashingStores, would_lose_something_if_they_did_not_sync) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    options_.is_every_commit_synced = false;

    EXPECT_GT(losses_in(50), 0);
}

TEST_F(CrashingStores, break_when_the_disk_fails_and_have_all_that_was_committed_after_a_restart) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    for (int failing = 1; failing <= 60; failing += 3) {
        options_.dir = directory_.path() / std::to_string(failing);
        prepare();
        open();
        states_.assign(1, {});
        int operations = 0;
        const int code = failing % 2 == 0 ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
        vfs_.fault = [&](const DiskOperation&) {
            return ++operations >= failing ? code : SQLITE_OK;
        };
        const auto commit_many = [this] {
            for (int i = 0; i < 100; ++i) commit_some();
        };
        EXPECT_THROW(commit_many(), StoreBroken);
        EXPECT_THROW(store_->commit({}), StoreBroken);
        EXPECT_THROW(store_->page(endpoint_, 0, {}), StoreBroken);
        vfs_.fault = nullptr;

        open();

        const std::set<std::uint64_t> found = pending();
        ASSERT_TRUE(found == states_[states_.size() - 2] || found == states_.back()) << failing;
        ASSERT_EQ(store_->check(), Ids()) << failing;
    }
}

TEST_F(CrashingStores, break_when_the_log_cannot_be_written_into_the_file) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    prepare();
    open();
    states_.assign(1, {});
    vfs_.fault = [](const DiskOperation& operation) {
        const bool is_sync = operation.kind == Kind::sync && operation.file == "events.db";
        return is_sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    };
    const auto commit_many = [this] {
        for (int i = 0; i < 200; ++i) commit_some();
    };

    EXPECT_THROW(commit_many(), StoreBroken);

    vfs_.fault = nullptr;
    open();
    EXPECT_EQ(pending(), states_.back());
    EXPECT_EQ(store_->check(), Ids());
}

TEST_F(CrashingStores, go_on_with_a_longer_log_when_the_file_cannot_grow) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    prepare();
    open();
    states_.assign(1, {});
    vfs_.fault = [](const DiskOperation& operation) {
        return operation.file == "events.db" ? SQLITE_FULL : SQLITE_OK;
    };

    for (int i = 0; i < 50; ++i) commit_some();

    vfs_.fault = nullptr;
    EXPECT_EQ(pending(), states_.back());
    open();
    EXPECT_EQ(pending(), states_.back());
}

TEST_F(CrashingStores, stay_usable_while_the_disk_is_full) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    prepare();
    open();
    states_.assign(1, {});
    for (int i = 0; i < 10; ++i) commit_some();
    const std::set<std::uint64_t> before = states_.back();
    vfs_.fault = [](const DiskOperation& operation) {
        return operation.kind == Kind::write ? SQLITE_FULL : SQLITE_OK;
    };

    for (int i = 0; i < 5; ++i) EXPECT_THROW(commit_some(), StoreFull);
    EXPECT_EQ(pending(), before);
    vfs_.fault = nullptr;
    states_.assign(1, before);
    commit_some();

    EXPECT_EQ(pending(), states_.back());
    open();
    EXPECT_EQ(pending(), states_.back());
    EXPECT_EQ(store_->check(), Ids());
}

}  // namespace
}  // namespace fanfare::test
