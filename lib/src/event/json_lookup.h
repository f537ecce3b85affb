#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "event/json_view.h"

namespace fanfare {

struct JsonScratch;

/// Looks fields of one payload up. Keeps a copy, so the payload needs no padding.
class JsonLookup {
  public:
    explicit JsonLookup(std::string_view payload);
    ~JsonLookup();
    JsonLookup(const JsonLookup&) = delete;
    JsonLookup& operator=(const JsonLookup&) = delete;

    /// What the JSON pointer (RFC 6901) leads to; kind missing if that is nothing. Of repeated
    /// keys the last one counts. The view stays valid until the next call. Throws if the payload
    /// turns out not to be JSON.
    JsonValue find(std::string_view pointer);

    /// The same for the name of a top-level member, taken literally.
    JsonValue find_member(std::string_view name);

  private:
    std::unique_ptr<JsonScratch> scratch_;
    std::string decoded_;
};

}  // namespace fanfare
