"""Whether servers have lost what they had acknowledged: then a number of the stream is given twice."""

import collections
import datetime
import threading
import time

from harness.nats_client import NatsError


class Witness:
    """Hears at every server what consumers are told of deliveries. Each tells the number of a message
    in the stream, and when it was stored there."""

    def __init__(self, stream, nodes):
        self._stream = stream
        self._times = collections.defaultdict(set)  # of messages, by number
        self._is_open = True
        self._listening = 0
        self._threads = [threading.Thread(target=self._listen, args=(node,), daemon=True)
                         for node in nodes]
        for one in self._threads:
            one.start()

    def close(self):
        self._is_open = False
        for one in self._threads:
            one.join(5)

    def is_listening(self, count):
        return self._listening >= count

    def heard(self):
        """Of how many messages."""
        return len(self._times)

    def _listen(self, node):
        while self._is_open:
            try:
                with node.client(5) as client:
                    client.subscribe(f"$JS.ACK.{self._stream}.>")
                    self._listening += 1
                    while self._is_open:
                        self._hear(client)
            except OSError:
                time.sleep(0.2)  # it is gone for a while

    def _hear(self, client):
        try:
            words = client.next_message(1).subject.split(".")
        except TimeoutError:
            return
        if len(words) == 9:
            self._times[int(words[5])].add(int(words[7]))

    def was_given_twice(self, seq, stored_at):
        return any(one != stored_at for one in self._times.get(seq, ()))

    def lost(self, client, numbers):
        """Of these events, those whose numbers in the stream were given to others before, or that
        lie there no more although others from before and after them do. By number of the event."""
        places = collections.defaultdict(list)
        for seq, number, stored_at in _stored(client, self._stream):
            places[number].append(self.was_given_twice(seq, stored_at))
        known = sorted(places)
        return {number for number in numbers
                if (all(places[number]) if number in places
                    else known and known[0] < number < known[-1])}


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


def _stored(client, stream):
    """(number in the stream, of the event, nanoseconds since 1970) of all that lies there."""
    state = client.stream(stream)["state"]
    for seq in range(max(1, state["first_seq"]), state["last_seq"] + 1):
        try:
            answer = client.api(f"STREAM.MSG.GET.{stream}", {"seq": seq})["message"]
            event = client.message(stream, seq).headers["Fanfare-Id"]
        except NatsError:
            continue  # it is purged
        yield seq, int(event.rpartition("-")[2]), _nanoseconds(answer["time"])


def _nanoseconds(text):
    seconds, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)
