#pragma once

#include <string>

#include "sink/format/format.h"

namespace fanfare {

/// `cloudevents`: structured CloudEvents 1.0, several events as a JSON batch. A CloudEvent goes out
/// byte for byte as it came; into another the payload is embedded as it is.
class CloudEventsFormat final : public Format {
  public:
    explicit CloudEventsFormat(std::string type_prefix) : type_prefix_(std::move(type_prefix)) {}

    void render(Batch batch, Body& body) const override;

  private:
    void put_opening(const Event& event, std::string& out) const;

    const std::string type_prefix_;
};

}  // namespace fanfare
