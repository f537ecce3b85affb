#include "http/head_reader.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ReadState = HeadReader::Step::State;

const std::string sample_head = "GET /a HTTP/1.1\r\nHost: b\r\nX:  c \r\n\r\n";

/// What the reader says of a head, with its fields.
std::string describe(const HeadReader& reader) {
    std::string text(reader.method());
    text.append(" ").append(reader.target()).append(" ").append(std::to_string(reader.version()));
    FieldViews fields;
    reader.list_fields(fields);
    for (const Field& field : fields)
        text.append(" ").append(field.name).append("=").append(field.value);
    return text;
}

TEST(HeadReader, keeps_the_text_of_a_head_when_what_it_was_read_from_is_gone) {
    for (std::size_t cut = 1; cut <= sample_head.size(); ++cut) {
        HeadReader reader(HeadScanner::Kind::request);
        std::string first = sample_head.substr(0, cut);
        std::string second = sample_head.substr(cut) + "body";
        if (cut < sample_head.size()) {
            EXPECT_EQ(reader.read(first, 1000).consumed, cut);
            first.assign(first.size(), '#');
            EXPECT_EQ(reader.read(second, 1000).consumed, sample_head.size() - cut);
        } else {
            EXPECT_EQ(reader.read(first + second, 1000).consumed, cut);
        }
        second.assign(second.size(), '#');

        EXPECT_EQ(describe(reader), "GET /a 11 Host=b X=c") << cut;
    }
}

TEST(HeadReader, takes_a_head_of_just_its_limit_and_no_more) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, sample_head.size()}) {
        for (const std::size_t size_max : {sample_head.size(), sample_head.size() - 1}) {
            HeadReader reader(HeadScanner::Kind::request);
            HeadReader::Step step;
            for (std::size_t begin = 0;
                 begin < sample_head.size() && step.state == ReadState::incomplete;) {
                step = reader.read(sample_head.substr(begin, piece), size_max);
                begin += step.consumed;
            }
            const bool fits = size_max == sample_head.size();
            EXPECT_EQ(step.state, fits ? ReadState::complete : ReadState::too_large) << piece;
        }
    }
}

TEST(HeadReader, begins_anew_when_cleared) {
    HeadReader reader(HeadScanner::Kind::request);
    reader.read(sample_head, 1000);
    EXPECT_TRUE(reader.has_begun());

    reader.clear();

    EXPECT_FALSE(reader.has_begun());
    EXPECT_EQ(reader.read("PUT * HTTP/1.0\r\n\r\n", 1000).state, ReadState::complete);
    EXPECT_EQ(describe(reader), "PUT * 10");
}

}  // namespace
}  // namespace fanfare
