#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "event/json_view.h"
#include "support/padded_text.h"

namespace fanfare {
namespace {

/// Makes texts that are JSON, and texts that nearly are.
class Source {
  public:
    explicit Source(unsigned seed) : random_(seed) {}

    std::string text() {
        std::string text = value(0);
        const unsigned mutations = below(4);
        for (unsigned i = 0; i < mutations; ++i) mutate(text);
        return text;
    }

  private:
    unsigned below(unsigned n) {
        return std::uniform_int_distribution<unsigned>(0, n - 1)(random_);
    }

    template <std::size_t N>
    const char* one_of(const char* const (&list)[N]) {
        return list[below(N)];
    }

    std::string value(unsigned depth) {
        switch (below(depth > 5 ? 4 : 7)) {
            case 0:
                return one_of({"0", "-0", "1", "-17", "1.5", "2e3", "1E400", "1e-400", "0.0",
                               "9223372036854775808", "18446744073709551616",
                               "123456789012345678901234567890", "1.7976931348623157e308"});
            case 1:
                return one_of({"true", "false", "null"});
            case 2:
            case 3:
                return string();
            case 4:
                return list(depth, '[', ']', false);
            default:
                return list(depth, '{', '}', true);
        }
    }

    std::string string() {
        std::string text = "\"";
        for (unsigned n = below(6); n > 0; --n) {
            text += one_of({"a", "events", " ", "\\n", "\\\"", "\\\\", "\\u0041", "\\ud83d\\ude00",
                            "\\/", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "0123456789", "",
                            "\x7f", "\\u0000", "{", "]", ","});
        }
        return text + "\"";
    }

    std::string list(unsigned depth, char open, char close, bool has_keys) {
        std::string text(1, open);
        const unsigned size = below(4);
        for (unsigned i = 0; i < size; ++i) {
            if (i > 0) text += one_of({",", ", ", " ,\n"});
            if (has_keys) text += string() + one_of({":", " : "});
            text += value(depth + 1);
        }
        return text + close;
    }

    void mutate(std::string& text) {
        const std::size_t at = below(static_cast<unsigned>(text.size()) + 1);
        switch (below(5)) {
            case 0:
                text.resize(at);
                break;
            case 1:
                text.erase(at, 1);
                break;
            case 2:
                text.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 3:
                text.insert(at, one_of({"\\u", "\\ud800", "\"", "}", "]", ",", "e", "-", ".",
                                        "\xed", "\xf4\x90", "null", "\t", "\\udc00"}));
                break;
            default:
                if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1U << below(8)));
        }
    }

    std::mt19937 random_;
};

/// Takes everything; nlohmann's parser decides.
struct Acceptor : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string& token,
                     const nlohmann::detail::exception& error) override {
        // Out of range is about the value of a number, not about JSON.
        (void)token;
        is_out_of_range = error.id >= 400 && error.id < 500;
        return false;
    }
    bool is_out_of_range = false;
};

enum class Verdict { good, bad, unknown };

/// nlohmann's verdict, made as strict as ours where it is known to differ: it takes a byte order
/// mark, and a NUL for the end of the text.
Verdict verdict_of_nlohmann(const std::string& text) {
    const bool has_nul = text.find('\0') != std::string::npos;
    if (has_nul || text.starts_with("\xef\xbb\xbf")) return Verdict::bad;
    Acceptor acceptor;
    if (nlohmann::json::sax_parse(text, &acceptor)) return Verdict::good;
    return acceptor.is_out_of_range ? Verdict::unknown : Verdict::bad;
}

TEST(JsonRandom, is_judged_as_another_parser_judges_it) {
    const unsigned seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    Source source(seed);
    unsigned good = 0;
    unsigned bad = 0;

    for (int i = 0; i < 30000; ++i) {
        const std::string text = source.text();
        const test::PaddedText padded(text);
        const bool is_good = !validate_json(padded.view());
        const bool is_checked_good = !check_json(padded.view(), json_depth_max);
        const Verdict other = verdict_of_nlohmann(text);

        ASSERT_EQ(is_good, is_checked_good) << "seed " << seed << ": " << text;
        if (other == Verdict::unknown) continue;
        ASSERT_EQ(is_good, other == Verdict::good) << "seed " << seed << ": " << text;
        ++(is_good ? good : bad);
    }

    EXPECT_GT(good, 3000U);
    EXPECT_GT(bad, 3000U);
}

TEST(JsonRandom, is_sliced_as_another_parser_reads_it) {
    const unsigned seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    Source source(seed);
    unsigned events = 0;

    for (int i = 0; i < 20000; ++i) {
        const std::string text =
            "[{\"id\":\"x\",\"v\":" + source.text() + "}, {\"action\" : \"a\\n\"}]";
        const test::PaddedText padded(text);
        if (validate_json(padded.view())) continue;
        const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
        if (parsed.is_discarded()) continue;
        KeptTexts kept;
        std::size_t index = 0;
        const auto visit = [&](const EventView& event) {
            const nlohmann::json& expected = parsed.at(index++);
            EXPECT_EQ(nlohmann::json::parse(event.payload), expected);
            const bool has_id = expected.contains("id") && expected["id"].is_string();
            EXPECT_EQ(event.id.string(), has_id ? expected["id"].get<std::string>() : "");
            return true;
        };
        ASSERT_FALSE(visit_events(padded.view(), JsonLayout::list, kept, visit)) << text;
        ASSERT_EQ(index, parsed.size()) << text;
        events += static_cast<unsigned>(index);
    }

    EXPECT_GT(events, 5000U);
}

}  // namespace
}  // namespace fanfare
