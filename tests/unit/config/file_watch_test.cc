#include "config/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
  protected:
    FileWatchTest() { write(file_, "one"); }

    static void write(const fs::path& file, const std::string& text) {
        std::ofstream(file) << text;
    }

    void follow() { ASSERT_TRUE(watch_.follow().has_value()); }
    /// Whether there is a sign by now: the kernel gives it before the call that causes it returns.
    bool has_sign() { return watch_.wait(0ms); }

    test::TmpDir directory_;
    const fs::path folder_ = directory_.path();
    const fs::path file_ = folder_ / "fanfare.yaml";
    FileWatch watch_{file_};
};

TEST_F(FileWatchTest, sees_a_file_that_was_written_to_its_end) {
    follow();
    std::ofstream out(file_);
    out << "half" << std::flush;
    EXPECT_FALSE(has_sign());

    out.close();

    EXPECT_TRUE(has_sign());
    EXPECT_FALSE(has_sign());
}

TEST_F(FileWatchTest, sees_a_file_that_was_replaced_removed_and_made_again) {
    follow();
    write(folder_ / "new", "two");
    EXPECT_FALSE(has_sign()) << "another file";

    fs::rename(folder_ / "new", file_);
    EXPECT_TRUE(has_sign());
    fs::remove(file_);
    EXPECT_TRUE(has_sign());
    write(file_, "three");
    EXPECT_TRUE(has_sign());
}

TEST_F(FileWatchTest, sees_the_swap_of_a_config_map) {
    const fs::path mount = folder_ / "mount";
    fs::create_directories(mount / "..1");
    fs::create_directories(mount / "..2");
    write(mount / "..1" / "fanfare.yaml", "one");
    write(mount / "..2" / "fanfare.yaml", "two");
    fs::create_directory_symlink("..1", mount / "..data");
    fs::create_symlink("..data/fanfare.yaml", mount / "fanfare.yaml");
    FileWatch watch(mount / "fanfare.yaml");
    ASSERT_TRUE(watch.follow().has_value());

    fs::create_directory_symlink("..2", mount / "..data_tmp");
    fs::rename(mount / "..data_tmp", mount / "..data");

    EXPECT_TRUE(watch.wait(0ms));
}

TEST_F(FileWatchTest, sees_a_change_of_what_a_link_leads_to_also_after_the_link_has_changed) {
    const fs::path elsewhere = folder_ / "elsewhere";
    fs::create_directory(elsewhere);
    write(elsewhere / "first", "one");
    write(elsewhere / "second", "two");
    const fs::path link = folder_ / "link.yaml";
    fs::create_symlink(elsewhere / "first", link);
    FileWatch watch(link);
    ASSERT_TRUE(watch.follow().has_value());
    write(elsewhere / "first", "three");
    EXPECT_TRUE(watch.wait(0ms));

    fs::remove(link);
    fs::create_symlink("elsewhere/second", link);
    EXPECT_TRUE(watch.wait(0ms));
    ASSERT_TRUE(watch.follow().has_value());
    write(elsewhere / "first", "four");
    EXPECT_FALSE(watch.wait(0ms));
    write(elsewhere / "second", "five");
    EXPECT_TRUE(watch.wait(0ms));
}

TEST_F(FileWatchTest, needs_neither_file_nor_folder_and_can_be_stopped) {
    FileWatch watch(folder_ / "missing" / "fanfare.yaml");
    EXPECT_TRUE(watch.follow().has_value());
    fs::create_directory(folder_ / "missing");
    EXPECT_TRUE(watch.follow().has_value());
    write(folder_ / "missing" / "fanfare.yaml", "one");
    EXPECT_TRUE(watch.wait(0ms));

    watch.stop();

    write(folder_ / "missing" / "fanfare.yaml", "two");
    EXPECT_FALSE(watch.wait(0ms));
}

TEST_F(FileWatchTest, forgets_signs) {
    follow();
    write(file_, "two");

    watch_.forget();

    EXPECT_FALSE(has_sign());
    write(file_, "three");
    EXPECT_TRUE(has_sign());
}

TEST_F(FileWatchTest, is_woken_without_a_sign) {
    watch_.wake();

    EXPECT_FALSE(watch_.wait(1h));
}

}  // namespace
}  // namespace fanfare
