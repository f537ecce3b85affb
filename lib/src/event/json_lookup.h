#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/json_pointers.h"
#include "event/json_view.h"

namespace fanfare {

/// A value as it stands in a payload.
struct JsonSlice {
    JsonValue::Kind kind = JsonValue::Kind::missing;
    std::string_view json;  ///< from its first to its last byte; empty if missing
};

/// Looks fields of one payload up. Keeps a copy, so the payload needs no padding.
class JsonLookup {
  public:
    /// Throws std::invalid_argument if `payload` is no JSON object.
    explicit JsonLookup(std::string_view payload);
    ~JsonLookup();
    JsonLookup(const JsonLookup&) = delete;
    JsonLookup& operator=(const JsonLookup&) = delete;

    /// What the JSON pointer (RFC 6901) leads to; kind missing if that is nothing. Of repeated
    /// keys the last one counts. The view stays valid until the next call.
    JsonValue find(std::string_view pointer);

    /// The same for the name of a top-level member, taken literally.
    JsonValue find_member(std::string_view name);

    /// As find(), but for all the pointers at once, by their numbers, and the very bytes of the
    /// values, whatever they are. The views stay valid as long as this object.
    std::vector<JsonSlice> slices(const JsonPointers& pointers) const;

    /// The top-level members, each name once. The views stay valid as long as this object.
    std::map<std::string, JsonSlice> members() const;

    /// The text that a string's slice stands for.
    std::string decoded(const JsonSlice& string) const;

  private:
    struct Walk;
    std::unique_ptr<Walk> walk_;
    std::string decoded_;
};

}  // namespace fanfare
