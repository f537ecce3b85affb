#include "sink/format/envelope_format.h"

#include "fanfare/envelope.h"

namespace fanfare {

void EnvelopeFormat::render(Batch batch, Body& body) const {
    const Envelope envelope(batch);
    body.append(envelope.buffers());
    body.content_type = Envelope::media_type(batch);
}

}  // namespace fanfare
