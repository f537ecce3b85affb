#include "fanfare/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace fanfare {
namespace {

class LogTest : public testing::Test {
  protected:
    Log make(LogFormat format, LogLevel level = LogLevel::info) {
        return Log({level, format}, [this](std::string_view line) { lines_.emplace_back(line); });
    }

    std::vector<std::string> lines_;
};

TEST_F(LogTest, writes_one_json_object_per_line_whatever_the_text) {
    Log log = make(LogFormat::json);
    const std::string awkward = "a \"quoted\"\\ \n\t\x01\x7f line é";

    log.warn("endpoint", "delivery failed",
             {{"endpoint", awkward}, {"attempt", 3U}, {"seconds", 0.5}, {"ok", false}, {"n", -1}});

    ASSERT_EQ(lines_.size(), 1U);
    const auto line = nlohmann::json::parse(lines_[0]);
    EXPECT_EQ(line["level"], "warning");
    EXPECT_EQ(line["component"], "endpoint");
    EXPECT_EQ(line["msg"], "delivery failed");
    EXPECT_EQ(line["endpoint"], awkward);
    EXPECT_EQ(line["attempt"], 3);
    EXPECT_EQ(line["seconds"], 0.5);
    EXPECT_EQ(line["ok"], false);
    EXPECT_EQ(line["n"], -1);
    EXPECT_TRUE(line.contains("ts"));
}

TEST_F(LogTest, quotes_text_fields_that_need_it) {
    Log log = make(LogFormat::text);

    log.info("daemon", "ready", {{"a", "plain"}, {"b", "two words"}, {"c", ""}, {"d", "x\ny"}});

    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_NE(lines_[0].find(R"(daemon: ready a=plain b="two words" c="" d="x\ny")"),
              std::string::npos)
        << lines_[0];
}

TEST_F(LogTest, cuts_long_text_between_characters) {
    const std::string text = std::string(255, 'a') + "é" + std::string(100'000, 'b');

    make(LogFormat::text).warn("a", "b", {{"id", text}});
    make(LogFormat::json).warn("a", "b", {{"id", text}});

    ASSERT_EQ(lines_.size(), 2U);
    EXPECT_TRUE(lines_[0].ends_with("id=\"" + std::string(255, 'a') + "…\"")) << lines_[0];
    EXPECT_EQ(nlohmann::json::parse(lines_[1])["id"], std::string(255, 'a') + "…");
}

TEST_F(LogTest, shows_no_control_character_of_any_kind) {
    const std::string text =
        "\xc2\x9b"
        "31m";  // CSI in one character

    make(LogFormat::text).warn("a", "b", {{"id", text}});
    make(LogFormat::json).warn("a", "b", {{"id", text}});

    ASSERT_EQ(lines_.size(), 2U);
    EXPECT_TRUE(lines_[0].ends_with(R"(id="\u009b31m")")) << lines_[0];
    EXPECT_EQ(nlohmann::json::parse(lines_[1])["id"], text);
}

TEST_F(LogTest, keeps_below_its_level_quiet) {
    Log log = make(LogFormat::text, LogLevel::warning);

    log.debug("a", "no");
    log.info("a", "no");
    log.warn("a", "yes");
    log.error("a", "yes");

    EXPECT_EQ(lines_.size(), 2U);
}

}  // namespace
}  // namespace fanfare
