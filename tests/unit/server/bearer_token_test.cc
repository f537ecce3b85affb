#include "server/bearer_token.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "support/manual_clock.h"

namespace fanfare {
namespace {

class BearerTokenFile : public testing::Test {
  protected:
    BearerTokenFile()
        : file_(std::filesystem::path(testing::TempDir()) /
                ("token-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {}
    ~BearerTokenFile() override { std::filesystem::remove(file_); }

    void write(std::string_view text) const { std::ofstream(file_, std::ios::binary) << text; }

    Result<std::unique_ptr<BearerToken>> load() {
        return BearerToken::load(file_.string(), "admin", clock_, log_);
    }

    /// Whether a request with these Authorization fields is let through.
    static bool accepts(BearerToken& token, const std::vector<std::string>& fields) {
        RequestHead head;
        for (const std::string& field : fields) head.fields.emplace_back("Authorization", field);
        return token.accepts(head);
    }

    void pass(Duration time) {
        net::io_context context;
        clock_.advance(time, context);
    }

    std::filesystem::path file_;
    test::ManualClock clock_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(BearerTokenFile, accepts_the_token_without_its_trailing_newline) {
    write("s3cret\n");

    const auto token = load();

    ASSERT_TRUE(token.has_value());
    EXPECT_TRUE(accepts(**token, {"Bearer s3cret"}));
    EXPECT_TRUE(accepts(**token, {"bearer  s3cret"}));
}

TEST_F(BearerTokenFile, accepts_nothing_else) {
    write("s3cret");

    const auto token = load();

    ASSERT_TRUE(token.has_value());
    EXPECT_FALSE(accepts(**token, {}));
    for (const char* value : {"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2",
                              "Bearer s3cret x", "Basic s3cret", "s3cret", "Bearer S3CRET"}) {
        EXPECT_FALSE(accepts(**token, {value})) << value;
    }
}

TEST_F(BearerTokenFile, accepts_no_field_out_of_several) {
    write("s3cret");

    const auto token = load();

    ASSERT_TRUE(token.has_value());
    EXPECT_FALSE(accepts(**token, {"Bearer s3cret", "Bearer s3cret"}));
    EXPECT_FALSE(accepts(**token, {"Bearer other", "Bearer s3cret"}));
}

TEST_F(BearerTokenFile, refuses_to_load_what_is_no_token) {
    EXPECT_FALSE(load().has_value()) << "missing file";
    const std::string too_long(SecretFile::bytes_max + 1, 'a');
    for (const std::string& text : {std::string(), std::string("\n\n"), std::string("a b"),
                                    std::string("one\ntwo\n"), too_long}) {
        write(text);

        EXPECT_FALSE(load().has_value()) << text.substr(0, 20);
    }
}

TEST_F(BearerTokenFile, refuses_a_directory) {
    const auto token = BearerToken::load(testing::TempDir(), "admin", clock_, log_);

    EXPECT_FALSE(token.has_value());
}

TEST_F(BearerTokenFile, reads_a_changed_file_after_a_second) {
    write("old");
    const auto token = load();
    ASSERT_TRUE(token.has_value());

    write("new");

    EXPECT_TRUE(accepts(**token, {"Bearer old"})) << "looked at too early";
    pass(std::chrono::seconds(1));
    EXPECT_FALSE(accepts(**token, {"Bearer old"}));
    EXPECT_TRUE(accepts(**token, {"Bearer new"}));
}

TEST_F(BearerTokenFile, keeps_the_last_token_and_warns_once_while_the_file_is_gone) {
    write("s3cret");
    const auto token = load();
    ASSERT_TRUE(token.has_value());
    std::filesystem::remove(file_);

    for (int i = 0; i < 3; ++i) {
        pass(std::chrono::seconds(2));
        EXPECT_TRUE(accepts(**token, {"Bearer s3cret"}));
    }

    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_EQ(lines_.front().find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace fanfare
