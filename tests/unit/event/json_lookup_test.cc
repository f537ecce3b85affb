#include "event/json_lookup.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace fanfare {
namespace {

using Kind = JsonValue::Kind;

constexpr const char* event_json = R"({
    "id": "1",
    "target": {"repository": "library/\u0061pp", "size": 9007199254740993, "tag": null,
               "references": [{"digest": "x"}, {"digest": "y"}], "": "empty", "a/b": 1, "m~n": 2},
    "ok": true, "big": 1E400
})";

JsonSlice slice_of(const JsonLookup& lookup, const char* pointer) {
    JsonPointers pointers;
    pointers.add(pointer);
    return lookup.slices(pointers).at(0);
}

struct FindCase {
    const char* pointer;
    Kind kind;
    const char* text;
};
class JsonLookupFind : public testing::TestWithParam<FindCase> {};

TEST_P(JsonLookupFind, follows_the_pointer) {
    JsonLookup lookup(event_json);

    const JsonValue value = lookup.find(GetParam().pointer);

    EXPECT_EQ(value.kind, GetParam().kind);
    EXPECT_EQ(value.text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Pointers, JsonLookupFind,
    testing::Values(FindCase{"/id", Kind::string, "1"},
                    FindCase{"/target/repository", Kind::string, "library/app"},
                    FindCase{"/target/size", Kind::scalar, "9007199254740993"},
                    FindCase{"/big", Kind::scalar, "1E400"}, FindCase{"/ok", Kind::scalar, "true"},
                    FindCase{"/target/tag", Kind::null, "null"},
                    FindCase{"/target", Kind::container, ""},
                    FindCase{"/target/references", Kind::container, ""},
                    FindCase{"/target/references/1/digest", Kind::string, "y"},
                    FindCase{"/target/references/0/digest", Kind::string, "x"},
                    FindCase{"/target/", Kind::string, "empty"},
                    FindCase{"/target/a~1b", Kind::scalar, "1"},
                    FindCase{"/target/m~0n", Kind::scalar, "2"}, FindCase{"", Kind::container, ""},
                    FindCase{"/target/references/2", Kind::missing, ""},
                    FindCase{"/target/references/01/digest", Kind::missing, ""},
                    FindCase{"/target/references/-", Kind::missing, ""},
                    FindCase{"/target/references/99999999999999999999", Kind::missing, ""},
                    FindCase{"/id/x", Kind::missing, ""}, FindCase{"/none", Kind::missing, ""},
                    FindCase{"/target/none", Kind::missing, ""}, FindCase{"/", Kind::missing, ""},
                    FindCase{"id", Kind::missing, ""}));

TEST(JsonLookup, takes_the_last_of_repeated_keys_at_every_level) {
    JsonLookup lookup(R"({"a":{"b":"1"},"a":{"b":"2","b":"3"},"c":{"d":1},"c":5})");

    EXPECT_EQ(lookup.find("/a/b").text, "3");
    EXPECT_EQ(lookup.find("/c/d").kind, Kind::missing);
}

TEST(JsonLookup, finds_members_by_their_literal_name) {
    JsonLookup lookup(R"({"type":"t","a/b":"x","ext\u006e":"y"})");

    EXPECT_EQ(lookup.find_member("type").text, "t");
    EXPECT_EQ(lookup.find_member("a/b").text, "x");
    EXPECT_EQ(lookup.find_member("extn").text, "y");
    EXPECT_EQ(lookup.find_member("none").kind, Kind::missing);
}

TEST(JsonLookup, answers_again_and_again) {
    JsonLookup lookup(event_json);

    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(lookup.find("/target/repository").text, "library/app");
        ASSERT_EQ(lookup.find("/id").text, "1");
    }
}

TEST(JsonLookup, can_be_used_beside_another_one) {
    JsonLookup first(R"({"a":"1"})");
    JsonLookup second(R"({"a":"2"})");

    EXPECT_EQ(first.find("/a").text, "1");
    EXPECT_EQ(second.find("/a").text, "2");
    EXPECT_EQ(first.find("/a").text, "1");
}

TEST(JsonLookup, gives_the_very_bytes_of_a_value) {
    const JsonLookup lookup(event_json);

    EXPECT_EQ(slice_of(lookup, "/target/repository").json, R"("library/\u0061pp")");
    EXPECT_EQ(slice_of(lookup, "/target/size").json, "9007199254740993");
    EXPECT_EQ(slice_of(lookup, "/target/tag").json, "null");
    EXPECT_EQ(slice_of(lookup, "/target/tag").kind, Kind::null);
    EXPECT_EQ(slice_of(lookup, "/target/references").json, R"([{"digest": "x"}, {"digest": "y"}])");
    EXPECT_EQ(slice_of(lookup, "/big").json, "1E400");
    EXPECT_EQ(slice_of(lookup, "").json, event_json);
    EXPECT_EQ(slice_of(lookup, "/none").kind, Kind::missing);
    EXPECT_EQ(slice_of(lookup, "id").kind, Kind::missing);
}

TEST(JsonLookup, follows_many_pointers_in_one_walk) {
    const JsonLookup lookup(event_json);
    JsonPointers pointers;
    for (const char* const pointer :
         {"/target/references/1/digest", "/id", "", "/none", "/target/references/0", "/id",
          "/target/size", "/target/references/2", "no pointer", "/target/a~1b", "/target/"}) {
        pointers.add(pointer);
    }

    std::vector<std::string> found;
    for (const JsonSlice& slice : lookup.slices(pointers)) found.emplace_back(slice.json);

    EXPECT_EQ(found,
              (std::vector<std::string>{R"("y")", R"("1")", event_json, "", R"({"digest": "x"})",
                                        R"("1")", "9007199254740993", "", "", "1", R"("empty")"}));
}

TEST(JsonLookup, follows_many_pointers_through_the_last_of_repeated_keys) {
    const JsonLookup lookup(R"({"a":{"b":1,"c":2,"b":3},"a":{"c":[4,5]},"d":1,"d":{"e":6}})");
    JsonPointers pointers;
    for (const char* const pointer : {"/a/b", "/a/c", "/a/c/1", "/d", "/d/e"})
        pointers.add(pointer);

    const std::vector<JsonSlice> found = lookup.slices(pointers);

    EXPECT_EQ(found[0].kind, Kind::missing);
    EXPECT_EQ(found[1].json, "[4,5]");
    EXPECT_EQ(found[2].json, "5");
    EXPECT_EQ(found[3].json, R"({"e":6})");
    EXPECT_EQ(found[4].json, "6");
}

TEST(JsonLookup, decodes_the_slice_of_a_string) {
    const JsonLookup lookup(event_json);

    EXPECT_EQ(lookup.decoded(slice_of(lookup, "/target/repository")), "library/app");
    EXPECT_EQ(lookup.decoded(slice_of(lookup, "/id")), "1");
}

TEST(JsonLookup, lists_members_once_with_their_last_value) {
    const JsonLookup lookup(R"( {"a":"1","b\n":{"c":[1]} , "a":[ 2 ]} )");

    const std::map<std::string, JsonSlice> members = lookup.members();

    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members.at("a").json, "[ 2 ]");
    EXPECT_EQ(members.at("b\n").json, R"({"c":[1]})");
}

TEST(JsonLookup, refuses_what_is_no_json_object) {
    for (const char* payload : {"", "{", "[{\"a\":1}]", "7", "{\"a\":tru}", "{} {}"}) {
        EXPECT_THROW(JsonLookup{payload}, std::invalid_argument) << payload;
    }
}

TEST(JsonLookup, reads_beside_numbers_of_any_size) {
    JsonLookup lookup(R"({"n":1e999,"a":[1, -2e-9999 ,{"b":"c"}]})");

    EXPECT_EQ(lookup.find("/a/2/b").string(), "c");
    EXPECT_EQ(lookup.find("/a/1").text, "-2e-9999");
}

TEST(JsonLookup, needs_no_padding_behind_the_payload) {
    const std::string text = R"({"a":"x"}yyyyyy)";
    const std::unique_ptr<char[]> exact(new char[9]);
    std::copy_n(text.data(), 9, exact.get());

    JsonLookup lookup(std::string_view(exact.get(), 9));

    EXPECT_EQ(lookup.find("/a").text, "x");
}

TEST(JsonLookup, reads_a_payload_of_the_greatest_depth) {
    std::string text = "1";
    std::string pointer;
    for (std::size_t i = 0; i < json_depth_max; ++i) {
        text = "{\"a\":" + text + "}";
        pointer += "/a";
    }

    JsonLookup lookup(text);

    EXPECT_EQ(lookup.find(pointer).text, "1");
}

}  // namespace
}  // namespace fanfare
