#include "base/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>

namespace fanfare {
namespace {

class LineWriterTest : public testing::Test {
  protected:
    LineWriterTest() {
        EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
        EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 16384), 0);
    }
    ~LineWriterTest() override {
        for (const int end : ends_) ::close(end);
    }

    std::string read_some() {
        std::string text(std::size_t{1} << 20U, '\0');
        const ssize_t got = ::read(ends_[0], text.data(), text.size());
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    }

    std::array<int, 2> ends_{};
};

TEST_F(LineWriterTest, writes_whole_lines) {
    LineWriter writer(ends_[1]);

    EXPECT_TRUE(writer.write("one\n"));
    EXPECT_TRUE(writer.write("two\n"));

    EXPECT_EQ(read_some(), "one\ntwo\n");
}

TEST_F(LineWriterTest, loses_lines_that_nobody_reads_and_goes_on_when_somebody_does) {
    LineWriter writer(ends_[1]);
    const std::string line(999, 'x');
    int taken = 0;
    while (writer.write(line + '\n')) ++taken;
    EXPECT_GT(taken, 0);
    EXPECT_FALSE(writer.write("lost\n"));

    EXPECT_EQ(read_some().size() % 1000, 0U);
    EXPECT_TRUE(writer.write("again\n"));
    EXPECT_EQ(read_some(), "again\n");
}

TEST_F(LineWriterTest, ends_a_line_that_it_could_not_write_whole) {
    LineWriter writer(ends_[1]);

    EXPECT_FALSE(writer.write(std::string(40000, 'x') + '\n'));
    const std::string part = read_some();
    EXPECT_TRUE(writer.write("next\n"));

    EXPECT_EQ(part, std::string(part.size(), 'x'));
    EXPECT_EQ(read_some(), "\nnext\n");
}

TEST_F(LineWriterTest, takes_no_harm_from_a_reader_that_is_gone) {
    LineWriter writer(ends_[1]);
    ::close(ends_[0]);
    ends_[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const auto before = std::signal(SIGPIPE, SIG_IGN);

    EXPECT_TRUE(writer.write("line\n"));

    std::signal(SIGPIPE, before);
}

TEST_F(LineWriterTest, counts_a_line_as_lost_that_cannot_be_stored) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    LineWriter writer(full);

    EXPECT_FALSE(writer.write("line\n"));

    ::close(full);
}

TEST_F(LineWriterTest, does_not_count_lines_for_a_descriptor_that_is_closed) {
    const int closed = ::dup(ends_[1]);
    ::close(closed);
    LineWriter writer(closed);

    EXPECT_TRUE(writer.write("line\n"));
}

/// Files can be no longer than so many bytes.
class FileLimit {
  public:
    explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit lower = before_;
        lower.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &lower);
    }
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

  private:
    void (*handler_)(int);
    rlimit before_{};
};

TEST_F(LineWriterTest, ends_a_line_that_it_could_not_store_whole) {
    const int file = ::memfd_create("log", MFD_CLOEXEC);
    ASSERT_GE(file, 0);
    LineWriter writer(file);
    {
        const FileLimit limit(5000);
        EXPECT_FALSE(writer.write(std::string(9000, 'x') + '\n'));
    }

    EXPECT_TRUE(writer.write("next\n"));

    std::string text(10000, '\0');
    text.resize(static_cast<std::size_t>(::pread(file, text.data(), text.size(), 0)));
    EXPECT_EQ(text.size(), 5006U);
    EXPECT_EQ(text.substr(4995), "xxxxx\nnext\n");
    ::close(file);
}

}  // namespace
}  // namespace fanfare
