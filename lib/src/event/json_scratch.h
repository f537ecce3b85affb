#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event/json_tokens.h"

// What the json_*.cc files share. simdjson.h is heavy: nothing else may include this.

namespace fanfare {

/// A parser with its buffers, and room for a copy of a text.
struct JsonScratch {
    simdjson::dom::parser parser;
    std::string text;

    /// What a raw string with escapes stands for.
    std::string decoded(std::string_view raw) const;
};

/// A thread's scratch, or a new one, for the time of a call.
class JsonLoan {
  public:
    JsonLoan();
    ~JsonLoan();
    JsonLoan(const JsonLoan&) = delete;
    JsonLoan& operator=(const JsonLoan&) = delete;

    JsonScratch* operator->() const noexcept { return scratch_.get(); }
    JsonScratch& operator*() const noexcept { return *scratch_; }

  private:
    std::unique_ptr<JsonScratch> scratch_;
};

/// What is wrong with `padded`, if anything; see validate_json. Throws bad_alloc.
std::optional<JsonProblem> parse(JsonScratch& scratch, std::string_view padded);

/// The tokens of the text that `scratch` has last found to be valid JSON.
JsonTokens tokens_of(const JsonScratch& scratch, std::string_view padded);

}  // namespace fanfare
