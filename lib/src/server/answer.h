#pragma once

#include <string>
#include <string_view>

#include "fanfare/clock.h"
#include "server/http_server.h"

namespace fanfare {

/// The value of a Date field, rendered anew once a second. Shard thread.
class DateText {
  public:
    std::string_view at(WallTime now);

  private:
    std::int64_t second_ = -1;
    std::string text_;
};

/// How a response is to be put on the connection.
struct AnswerForm {
    std::string_view date;
    int version = 11;  ///< of the request
    bool keep_alive = true;
    bool is_streamed = false;  ///< how long the body will be is not known
};

/// Whether an answer with that status has a body at all.
bool can_have_body(int status) noexcept;

/// Writes the head of the answer to `out`, replacing what it holds.
void render_answer_head(const Response& response, const AnswerForm& form, std::string& out);

/// The answer to a request that cannot be read. `has_head`: the problem lies in the body.
Response problem_response(const HttpProblem& problem, bool has_head);

/// The generic answers that the server gives by itself.
Response timeout_response();
Response too_many_connections_response();
Response connect_response(std::string_view allowed_methods);
Response internal_error_response();
Response out_of_memory_response();

}  // namespace fanfare
