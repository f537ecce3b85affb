#pragma once

#include "fanfare/error.h"

namespace fanfare {

/// What can be wrong with the answer to a token request. A value of 100 or more is the status that
/// was answered.
enum class TokenProblem : int {
    too_long = 1,
    no_http,
    no_json,
    no_token,
    no_bearer,
};

error_code make_token_error(TokenProblem problem);
error_code make_token_error(int http_status);

/// `error`, whose message then says that it was the token request that failed so.
error_code in_token_request(error_code error);

}  // namespace fanfare
