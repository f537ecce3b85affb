#pragma once

#include "sink/format/format.h"

namespace fanfare {

/// `envelope`: the registry's `{"events":[…]}`.
class EnvelopeFormat final : public Format {
  public:
    void render(Batch batch, Body& body) const override;
};

}  // namespace fanfare
