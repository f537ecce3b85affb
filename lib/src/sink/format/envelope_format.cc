#include "sink/format/envelope_format.h"

#include "fanfare/envelope.h"

namespace fanfare {

void EnvelopeFormat::render(Batch batch, Body& body) const {
    body.append(Envelope::opening);
    body.append(batch.front()->payload());
    for (const EventPtr& event : batch.subspan(1)) {
        body.append(Envelope::separator);
        body.append(event->payload());
    }
    body.append(Envelope::closing);
    body.content_type = Envelope::media_type(batch);
}

}  // namespace fanfare
