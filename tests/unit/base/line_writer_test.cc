#include "base/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
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

}  // namespace
}  // namespace fanfare
