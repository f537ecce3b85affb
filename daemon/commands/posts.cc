#include "commands/posts.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/timestamp.h"
#include "base/uuid.h"

namespace fanfare::command {
namespace {

constexpr const char* envelope_type = "application/vnd.docker.distribution.events.v2+json";

std::string random_hex(std::size_t digits) {
    static constexpr std::string_view alphabet = "0123456789abcdef";
    std::random_device random;
    std::string text;
    while (text.size() < digits) text += alphabet[random() % alphabet.size()];
    return text;
}

std::string guess_content_type(const std::string& file, const std::string& body) {
    if (file.ends_with(".ndjson") || file.ends_with(".jsonl")) return "application/x-ndjson";
    const nlohmann::json root = nlohmann::json::parse(body, nullptr, false);
    const bool is_envelope =
        root.is_object() && root.contains("events") && root["events"].is_array();
    return is_envelope ? envelope_type : "application/json";
}

}  // namespace

Post sample_post() {
    const std::string digest = "sha256:" + random_hex(64);
    nlohmann::ordered_json event;
    event["id"] = make_uuid();
    event["timestamp"] = rfc3339(std::chrono::system_clock::now());
    event["action"] = "push";
    event["target"] = {{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                       {"digest", digest},
                       {"size", 708},
                       {"length", 708},
                       {"repository", "library/sample"},
                       {"url", "http://registry.example.com/v2/library/sample/manifests/" + digest},
                       {"tag", "latest"}};
    event["request"] = {{"id", make_uuid()},
                        {"addr", "192.0.2.10:51234"},
                        {"host", "registry.example.com"},
                        {"method", "PUT"},
                        {"useragent", "fanfare-send"}};
    event["actor"] = {{"name", "sample"}};
    event["source"] = {{"addr", "registry.example.com:5000"}, {"instanceID", make_uuid()}};
    nlohmann::ordered_json envelope;
    envelope["events"].push_back(std::move(event));
    return {envelope_type, envelope.dump()};
}

Result<Post> read_post(const std::string& file, const std::string& content_type) {
    Post post;
    if (file == "-") {
        post.body.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream in(file, std::ios::binary);
        if (!in || in.peek() == std::ifstream::traits_type::eof()) {
            return Error("cannot read " + file + ", or it is empty");
        }
        post.body.assign(std::istreambuf_iterator<char>(in), {});
    }
    post.content_type = content_type.empty() ? guess_content_type(file, post.body) : content_type;
    return post;
}

}  // namespace fanfare::command
