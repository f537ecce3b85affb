#pragma once

#include <cstdint>

#include "fanfare/dead_letters.h"
#include "nats/connection.h"
#include "nats/jetstream.h"
#include "store/letters.h"

namespace fanfare {

/// All of a letter but its payload, which is the event's. The same event given up by the same
/// endpoint has the same `Nats-Msg-Id`, whichever process does it.
NatsHeaders headers_of(const DeadLetter& letter);

/// The way back; its seq is its id. What is damaged is left empty.
StoredLetter letter_of(const JsStored& stored, bool with_payload);

/// What a letter takes while it waits.
std::uint64_t bytes_of(const DeadLetter& letter) noexcept;

}  // namespace fanfare
