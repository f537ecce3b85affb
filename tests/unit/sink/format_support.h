#pragma once

#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <memory>
#include <string>
#include <vector>

#include "sink/format/format.h"

namespace fanfare::test {

/// What a request would hold.
struct Rendered {
    std::string content_type;
    std::string head_lines;
    std::string body;
};

inline Rendered rendered(const HttpSinkOptions& options, const std::vector<EventPtr>& batch) {
    const auto format = make_format(options);
    EXPECT_TRUE(format.has_value()) << format.error().message();
    Body body;
    body.clear();
    (*format)->render(batch, body);
    Rendered result{std::string(body.content_type), body.head_lines, {}};
    const auto& buffers = body.request();
    for (std::size_t i = 1; i < buffers.size(); ++i) {
        result.body.append(static_cast<const char*>(buffers[i].data()), buffers[i].size());
    }
    EXPECT_EQ(result.body.size(), body.size_bytes());
    EXPECT_EQ(buffers.front().size(), 0U) << "the head's place";
    return result;
}

inline Rendered rendered(BodyFormat format, const std::vector<EventPtr>& batch) {
    HttpSinkOptions options;
    options.format = format;
    return rendered(options, batch);
}

/// Why a batch cannot be rendered; empty if it can.
inline std::string render_problem(const HttpSinkOptions& options,
                                  const std::vector<EventPtr>& batch) {
    const auto format = make_format(options);
    Body body;
    body.clear();
    try {
        (*format)->render(batch, body);
    } catch (const boost::system::system_error& error) {
        return error.code().message();
    }
    return {};
}

inline EventPtr event(const std::string& payload, EventFields fields = {},
                      MediaType type = MediaType::registry_v2) {
    if (fields.id.empty()) fields.id = "id-1";
    return Event::make(payload, fields, type);
}

inline EventPtr cloudevent(const std::string& payload) {
    return event(payload, {}, MediaType::cloudevents);
}

}  // namespace fanfare::test
