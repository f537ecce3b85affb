#pragma once

#include "sink/format/format.h"

namespace fanfare {

/// `event`: the payload alone; of several events one line each (NDJSON).
class EventFormat final : public Format {
  public:
    void render(Batch batch, Body& body) const override;
};

}  // namespace fanfare
