// What can go wrong with the file of dead letters, and with its folder.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "store_support.h"

namespace fanfare::test {
namespace {

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

TEST_F(DeadLetters, wait_while_the_disk_is_full) {
    open(64 * 1024 * 1024);
    store_->put(letter("before"));
    ids();
    {
        const FullDisk full(100'000);
        for (int i = 0; i < 10; ++i) store_->put(letter("full", "audit", 100'000));
        EXPECT_EQ(flush(1500ms), 10U);
        EXPECT_TRUE(has_logged("dead letters cannot be written"));
    }
    store_->put(letter("after"));
    const Strings all = ids();

    EXPECT_EQ(all.size(), 12U);
    EXPECT_EQ(all.front(), "before");
    EXPECT_EQ(all.back(), "after");
    EXPECT_EQ(lost(LostReason::write), 0U);
    EXPECT_EQ(store_->counts().kept.letters, 12U);
}

TEST_F(DeadLetters, are_there_after_a_start_on_a_full_disk) {
    open();
    store_->put(letter("before"));
    store_.reset();
    const FullDisk full(0);

    open();

    EXPECT_EQ(ids(), Strings{"before"});
}

TEST_F(DeadLetters, that_never_got_to_the_disk_are_told_of_at_the_end) {
    open(64 * 1024 * 1024);
    const FullDisk full(10'000);
    for (int i = 0; i < 10; ++i) store_->put(letter("full", "audit", 100'000));

    store_.reset();

    EXPECT_TRUE(has_logged("dead letters are lost reason=write events=10"));
}

TEST_F(DeadLetters, are_not_held_up_by_another_look_at_the_file) {
    open();
    store_->put(letter("e1"));
    ids();

    EXPECT_THROW(Database(file()).execute("BEGIN IMMEDIATE"), SqliteError);
}

TEST_F(DeadLetters, are_written_when_flush_ends) {
    open();
    for (int i = 0; i < 3000; ++i) store_->put(letter(std::to_string(i)));

    flush();

    EXPECT_EQ(store_->counts().stored, 3000U);
}

}  // namespace
}  // namespace fanfare::test
