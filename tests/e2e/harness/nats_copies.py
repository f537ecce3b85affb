"""A stream as it lies on the disks of a cluster's servers. All copies should be the same; after a
server was cut off, 2.9.10's sometimes are not, and stay so."""

import struct

from harness.nats_client import NatsError

# Of a record, as filestore.go of nats-server 2.9 writes it: length with a flag, number,
# nanoseconds since 1970, length of the subject.
_HEAD = struct.Struct("<IQQH")
_FLAG = 1 << 31
_ERASED = 1 << 63


def copy_of(node, stream):
    """Number in the stream -> when it was stored there, and its message id."""
    found = {}
    for file in sorted((node.store / "jetstream").glob(f"*/streams/{stream}/msgs/*.blk")):
        block, at = file.read_bytes(), 0
        while at + _HEAD.size <= len(block):
            length, number, stored_at, _ = _HEAD.unpack_from(block, at)
            length &= _FLAG - 1
            if length < _HEAD.size or at + length > len(block):
                break  # it is being written
            if number and not number & _ERASED:
                body = block[at + _HEAD.size:at + length]
                name = body.partition(b"Nats-Msg-Id: ")[2].partition(b"\r\n")[0]
                found[number] = (stored_at, name.decode())
            at += length
    return found


def differences(nodes, stream):
    """Of the numbers that all have come to, those under which they have different messages."""
    copies = [copy_of(node, stream) for node in nodes]
    if not all(copies):
        return []
    first, last = max(min(copy) for copy in copies), min(max(copy) for copy in copies)
    return [number for number in range(first, last + 1)
            if len({copy.get(number) for copy in copies}) > 1]


def published_again(client, stream):
    """How many entries Fanfare has stored once more, for want of a number of their own."""
    state = client.stream(stream)["state"]
    count = 0
    for seq in range(max(1, state["first_seq"]), state["last_seq"] + 1):
        try:
            count += "#" in client.message(stream, seq).headers.get("Nats-Msg-Id", "")
        except NatsError:
            pass  # it is purged
    return count
