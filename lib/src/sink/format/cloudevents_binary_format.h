#pragma once

#include <string>
#include <vector>

#include "sink/format/format.h"

namespace fanfare {

/// `cloudevents-binary`: the data as the body, the attributes as `ce-` headers. One event at a
/// time.
class CloudEventsBinaryFormat final : public Format {
  public:
    /// Headers longer than this together are for no receiver.
    static constexpr std::size_t attribute_bytes_max = std::size_t{64} * 1024;

    /// `configured`: the names of headers that the endpoint sets, which replace attributes.
    CloudEventsBinaryFormat(std::string type_prefix, std::vector<std::string> configured)
        : type_prefix_(std::move(type_prefix)), configured_(std::move(configured)) {}

    void render(Batch batch, Body& body) const override;

  private:
    void put_cloudevent(const Event& event, Body& body) const;
    void put_attribute(std::string_view name, std::string_view value, Body& body) const;

    const std::string type_prefix_;
    const std::vector<std::string> configured_;
};

}  // namespace fanfare
