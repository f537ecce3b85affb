#include "base/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "support/secret_on_disk.h"

namespace fanfare {
namespace {

using std::chrono::seconds;

class SecretFileTest : public testing::Test {
  protected:
    Result<SecretFile> load() {
        return SecretFile::load({.file = disk_.path(),
                                 .what = "token file",
                                 .component = "endpoint",
                                 .check =
                                     [this](const std::string& text) {
                                         ++readings_;
                                         return check_token(text);
                                     }},
                                &log_);
    }
    /// How many lines were logged; none may hold a secret.
    std::size_t log_lines() const {
        for (const std::string& line : lines_) {
            EXPECT_EQ(line.find("s3cr3t"), std::string::npos) << line;
        }
        return lines_.size();
    }

    test::SecretOnDisk disk_{"s3cr3t-1\n"};
    int readings_ = 0;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    TimePoint now_ = TimePoint{} + seconds(1000);
};

TEST(Secret, prints_nothing_of_itself) {
    std::ostringstream out;
    out << Secret("s3cr3t");

    EXPECT_EQ(out.str(), "<redacted>");
}

TEST_F(SecretFileTest, holds_the_text_without_the_line_end) {
    const auto file = load();

    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->text().reveal(), "s3cr3t-1");
}

TEST_F(SecretFileTest, says_what_is_wrong_without_showing_it) {
    disk_.write("s3cr3t two words");

    const auto file = load();

    ASSERT_TRUE(file.has_error());
    EXPECT_EQ(file.error().message(),
              "token file " + disk_.path() + " must hold one line of visible characters");
}

TEST_F(SecretFileTest, is_read_anew_when_first_asked_and_then_once_a_second) {
    auto file = load();
    disk_.write("s3cr3t-2");
    EXPECT_TRUE(file->refresh(now_));
    disk_.write("s3cr3t-3");

    EXPECT_FALSE(file->refresh(now_ + seconds(1) - std::chrono::nanoseconds(1)));
    EXPECT_TRUE(file->refresh(now_ + seconds(1)));
    EXPECT_FALSE(file->refresh(now_ + seconds(2)));

    EXPECT_EQ(file->text().reveal(), "s3cr3t-3");
    EXPECT_EQ(log_lines(), 2U);
}

TEST_F(SecretFileTest, keeps_the_last_text_and_warns_once_while_the_file_is_of_no_use) {
    auto file = load();

    for (const char* bad : {"", "s3cr3t two words", "\n"}) {
        disk_.write(bad);
        EXPECT_FALSE(file->refresh(now_ += seconds(1)));
    }
    disk_.remove();
    EXPECT_FALSE(file->refresh(now_ += seconds(1)));

    EXPECT_EQ(file->text().reveal(), "s3cr3t-1");
    EXPECT_EQ(log_lines(), 1U);
}

TEST_F(SecretFileTest, is_not_read_again_while_nobody_touches_it) {
    auto file = load();
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(file->refresh(now_ += seconds(1)));
    EXPECT_EQ(readings_, 2) << "once more, as the first stamp may be shared with a later text";

    disk_.write("s3cr3t-2");

    EXPECT_TRUE(file->refresh(now_ += seconds(1)));
    EXPECT_EQ(file->text().reveal(), "s3cr3t-2");
}

TEST_F(SecretFileTest, names_the_endpoint_in_what_it_logs) {
    auto file = load();
    disk_.write("s3cr3t-2");
    EXPECT_TRUE(file->refresh(now_, "billing"));
    disk_.remove();

    EXPECT_FALSE(file->refresh(now_ + seconds(1), "billing"));

    ASSERT_EQ(log_lines(), 2U);
    for (const std::string& line : lines_) {
        EXPECT_NE(line.find("endpoint=billing"), std::string::npos) << line;
    }
}

TEST_F(SecretFileTest, does_not_wait_at_a_pipe) {
    auto file = load();
    disk_.remove();
    ASSERT_EQ(mkfifo(disk_.path().c_str(), 0600), 0);

    EXPECT_FALSE(file->refresh(now_));

    EXPECT_EQ(file->text().reveal(), "s3cr3t-1");
    EXPECT_EQ(log_lines(), 0U);
}

TEST_F(SecretFileTest, warns_again_after_it_was_well) {
    auto file = load();
    for (int i = 0; i < 2; ++i) {
        disk_.remove();
        EXPECT_FALSE(file->refresh(now_ += seconds(1)));
        disk_.write("s3cr3t-1");
        EXPECT_FALSE(file->refresh(now_ += seconds(1)));
    }

    EXPECT_EQ(log_lines(), 2U);
}

}  // namespace
}  // namespace fanfare
