#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/parse_request.h"
#include "support/manual_clock.h"

namespace fanfare::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* registry_v1 = "application/vnd.docker.distribution.events.v1+json";
inline constexpr const char* registry_v2 = "application/vnd.docker.distribution.events.v2+json";
inline constexpr const char* structured_type = "application/cloudevents+json";
inline constexpr const char* batch_type = "application/cloudevents-batch+json";
/// The least that makes one.
inline constexpr const char* cloudevent =
    R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})";

/// A request and what came of it.
class Parsed {
  public:
    Parsed(Fields fields, std::string text, std::size_t events_max = 10000)
        : fields_(std::move(fields)), body(std::move(text)) {
        for (const auto& [name, value] : fields_) head_.fields.emplace_back(name, value);
        const ParseOptions options{events_max, ids_};
        result_ = parse_request(head_, body, options);
    }
    Parsed(const std::string& content_type, std::string text)
        : Parsed(Fields{{"Content-Type", content_type}}, std::move(text)) {}

    bool is_taken() const { return std::holds_alternative<ParsedRequest>(result_); }
    const ParsedRequest& request() const { return std::get<ParsedRequest>(result_); }
    const std::vector<ParsedEvent>& events() const { return request().events; }
    const Refusal& refusal() const { return std::get<Refusal>(result_); }
    int status() const { return is_taken() ? 202 : refusal().status; }

  private:
    ManualClock clock_;
    IdGenerator ids_{clock_, [] { return std::uint64_t{0}; }};
    Fields fields_;
    RequestHead head_;
    std::variant<ParsedRequest, Refusal> result_;

  public:
    std::string body;  // the views of the result point into it
};

}  // namespace fanfare::test
