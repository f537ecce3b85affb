"""`fanfare tail` against servers that go wrong."""

import json
import re
import signal
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.process import Process, free_port
from harness.scripted import (Scripted, answer, begin_stream, end_stream, send_chunk, send_frames,
                              wait_for_hangup)
from harness.wait import wait_until


def hello(start, instance="i1"):
    return {"type": "hello", "instance": instance, "stream": "s-1", "lowest": 1, "next": start,
            "start": start}


def record(seq):
    return {"type": "event", "seq": seq, "received": "2026-01-02T03:04:05.678901Z",
            "source": "http", "event": {"id": f"e{seq}", "action": "push"}}


def stream(*frames, end=wait_for_hangup):
    """A script that sends these frames; then `end` with the connection."""
    def script(connection, _):
        begin_stream(connection)
        send_frames(connection, *frames)
        if end:
            end(connection)
    return script


class TailFailures(EndToEndCase):
    def server(self, *scripts):
        server = Scripted(*scripts)
        self.addCleanup(server.close)
        return server

    def tail(self, server, *arguments):
        return self.process(Process([executable(), "tail", "--url", server.url, *arguments]))

    def assert_fails(self, script, pattern):
        code, output, errors = self.run_fanfare("tail", "--url", self.server(script).url)
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, rf"^fanfare: error: .*{pattern}.*\n$")

    def wait_ids(self, process, *expected):
        wait_until(lambda: self.ids(process) == list(expected), 10,
                   lambda: f"{expected}:\n{process.text()}")

    def ids(self, process):
        return [line.split()[-1] for line in process.lines if not line.startswith("fanfare: ")]

    def notes(self, process):
        return [line for line in process.lines if line.startswith("fanfare: ")]

    def since(self, server, number):
        """The cursor that a connection has asked for."""
        found = re.search(r"[?&]since=([^& ]+)", server.requests[number])
        return found and found[1].replace("%3A", ":")

    def test_a_connection_cut_in_mid_line_is_resumed_behind_the_last_whole_one(self):
        def cut(connection, _):
            begin_stream(connection)
            send_frames(connection, hello(1), record(1), record(2))
            send_chunk(connection, json.dumps(record(3))[:40])
        server = self.server(cut, stream(hello(3), record(3), record(4)))
        process = self.tail(server)
        self.wait_ids(process, "e1", "e2", "e3", "e4")
        self.assertEqual(self.since(server, 1), "i1:2")
        notes = self.notes(process)
        self.assertRegex(notes[0], "connection lost, trying again: ")
        self.assertEqual(notes[1:], ["fanfare: connected again"])
        self.assertEqual(process.stop(signal.SIGINT), 0)

    def test_pings_and_gaps_move_the_cursor_and_gaps_are_told(self):
        gap = {"type": "gap", "from": 10, "to": 19, "missed": 10, "reason": "evicted"}
        server = self.server(stream(hello(5), {"type": "ping", "next": 10}, end=None),
                             stream(hello(20), gap, end=None),
                             stream(hello(20), record(20)))
        process = self.tail(server)
        self.wait_ids(process, "e20")
        self.assertEqual([self.since(server, i) for i in range(3)], [None, "i1:9", "i1:19"])
        self.assertIn("fanfare: 10 events missing here (10 to 19): no longer in the history",
                      self.notes(process))

    def test_another_instance_is_told(self):
        gap = {"type": "gap", "from": None, "to": 0, "missed": None, "reason": "restart"}
        server = self.server(stream(hello(8), record(8), end=None),
                             stream(hello(1, "i2"), gap, record(1), end=None),
                             stream(hello(2, "i2"), record(2)))
        process = self.tail(server)
        self.wait_ids(process, "e8", "e1", "e2")
        self.assertEqual([self.since(server, i) for i in range(3)], [None, "i1:8", "i2:1"])
        self.assertEqual(sum("started anew" in note for note in self.notes(process)), 1)

    def test_frames_are_passed_on_as_they_are_with_json(self):
        text = '{"type": "event",  "seq":1,"event":{"n":12345678901234567890123,"x":1.10}}'
        def odd(connection, _):
            begin_stream(connection)
            send_frames(connection, hello(1))
            send_chunk(connection, text[:20])
            send_chunk(connection, text[20:] + "\n")
            send_frames(connection, {"type": "something-new"}, {"type": "close",
                                                                "reason": "kicked"})
            end_stream(connection)
        process = self.tail(self.server(odd), "--json")
        self.assertEqual(process.wait(), 1)
        frames = [line for line in process.lines if line.startswith("{")]
        self.assertEqual(frames[1], text)
        self.assertEqual([json.loads(frame)["type"] for frame in frames],
                         ["hello", "event", "something-new", "close"])

    def test_what_a_close_frame_says_is_done(self):
        def closing(reason):
            return stream(hello(1), {"type": "close", "reason": reason}, end=end_stream)
        for reason in ("kicked", "history_disabled"):
            self.assert_fails(closing(reason), reason)
        server = self.server(closing("max_age"), closing("slow_consumer"), closing("shutdown"),
                             stream(hello(1), record(1)))
        process = self.tail(server)
        self.wait_ids(process, "e1")
        notes = self.notes(process)
        self.assertIn("too little was read", notes[0])
        self.assertIn("shutting down", notes[1])
        self.assertEqual(notes[2:], ["fanfare: connected again"])

    def test_refusals(self):
        error = json.dumps({"errors": [{"code": "CURSOR_IN_FUTURE", "message": "not yet",
                                        "detail": None}]})
        self.assert_fails(answer(400, error), "answered 400 CURSOR_IN_FUTURE: not yet")
        self.assert_fails(answer(401, ""), "answered 401")
        self.assert_fails(answer(503, "", "Retry-After: 1\r\n"), "answered 503")

    def test_a_refusal_that_passes_is_waited_for_once_it_has_worked(self):
        server = self.server(stream(hello(1), end=None), answer(503, "", "Retry-After: 1\r\n"),
                             stream(hello(1), record(1)))
        process = self.tail(server)
        self.wait_ids(process, "e1")
        self.assertEqual(len(server.requests), 3)

    def test_a_refusal_that_stays_ends_it(self):
        process = self.tail(self.server(stream(hello(1), end=None), answer(403, "")))
        self.assertEqual(process.wait(), 1)
        self.assertIn("answered 403", process.lines[-1])

    def test_garbage(self):
        self.assert_fails(answer(200, "<html>\n"), "does not answer like a fanfare daemon")
        self.assert_fails(answer(200, "no line"), "does not answer like a fanfare daemon")
        self.assert_fails(answer(200, ""), "does not answer like a fanfare daemon")
        self.assert_fails(answer(200, "null\n"), "does not answer like a fanfare daemon")
        self.assert_fails(answer(200, "{}\n"), "does not answer like a fanfare daemon")
        self.assert_fails(stream({"type": "hello"}), "does not answer like a fanfare daemon")
        self.assert_fails(stream(record(1)), "does not answer like a fanfare daemon")
        self.assert_fails(lambda peer, _: peer.sendall(b"SSH-2.0-x\r\n\r\n"), "127.0.0.1")

    def test_odd_records_are_shown_all_the_same(self):
        frames = [{"type": "event", "seq": 1, "event": event} for event in (
            None, [], "x", {}, {"action": 5, "id": {"a": 1}},
            {"action": "a\x1b[31m\nb", "target": {"repository": ["x"]}, "id": "odd"},
            {"type": "org.example", "subject": "thing", "id": "cloud"},
            {"action": "pull", "id": "t", "target": {"repository": "r", "tag": "v1"}},
            {"action": "pull", "id": "d", "target": {"repository": "r", "digest": "sha256:" +
                                                     "ab" * 32}},
            {"action": "é" * 500, "id": "long"})]
        process = self.tail(self.server(stream(hello(1), *frames)))
        self.wait_ids(process, "-", "-", "-", "-", "-", "odd", "cloud", "t", "d", "long")
        lines = [line.split()[2:] for line in process.lines]
        self.assertEqual(lines[4], ["5", "-", "-"])
        self.assertEqual(lines[5], ["a?[31m?b", "-", "odd"])
        self.assertEqual(lines[6], ["org.example", "thing", "cloud"])
        self.assertEqual(lines[7], ["pull", "r:v1", "t"])
        self.assertEqual(lines[8], ["pull", "r@sha256:abababababab", "d"])
        self.assertEqual(lines[9], ["é" * 100 + "…", "-", "long"])

    def test_a_line_without_an_end_is_bounded(self):
        def endless(connection, _):
            begin_stream(connection)
            send_frames(connection, hello(1))
            while True:
                send_chunk(connection, "x" * 1000000)
        self.assert_fails(endless, "longer than 16 MiB")

    def test_an_endless_refusal_is_bounded(self):
        def endless(connection, _):
            connection.sendall(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                send_chunk(connection, "x" * 1000000)
        self.assert_fails(endless, "too long")

    def test_ends_on_a_signal_while_nothing_comes_and_while_nobody_is_there(self):
        process = self.tail(self.server(stream(hello(1))))
        server = self.server(stream(hello(1), end=None), answer(503, "", "Retry-After: 60\r\n"))
        waiting = self.tail(server)
        silent = self.server(lambda peer, _: wait_for_hangup(peer))
        unanswered = self.tail(silent)
        wait_until(lambda: len(server.requests) == 2 and silent.requests)
        for each in (process, waiting, unanswered):
            self.assertEqual(each.stop(signal.SIGTERM), 0)

    def test_ends_at_once_when_its_reader_leaves(self):
        server = self.server(stream(hello(1), record(1)))
        with subprocess.Popen([executable(), "tail", "--url", server.url],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            self.assertIn(b"e1", process.stdout.readline())
            process.stdout.close()
            self.assertEqual(process.wait(5), 0)
            self.assertEqual(process.stderr.read(), b"")

    def test_ctrl_c_ends_it_while_its_reader_does_not_read(self):
        frames = [record(seq) for seq in range(1, 3000)]
        server = self.server(stream(hello(1), *frames))
        with subprocess.Popen([executable(), "tail", "--url", server.url],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            self.assertIn(b"e1", process.stdout.readline())
            wait_until(lambda: "pipe_write" in _wait_channel(process.pid) or
                       _is_blocked_in_write(process.pid))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(5), 0)

    def test_usage(self):
        for arguments in (("--count", "-1"), ("--count", "x"), ("--count", "1", "--since", "2"),
                          ("extra",)):
            code, output, errors = self.run_fanfare("tail", *arguments)
            self.assertEqual((code, output, errors.count("\n")), (2, "", 1), arguments)

    def test_no_daemon(self):
        address = f"127.0.0.1:{free_port()}"
        code, output, errors = self.run_fanfare("tail", "--url", f"http://{address}")
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, rf"^fanfare: error: .*{address}.*refused\n$")


def _wait_channel(pid):
    with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
        return file.read()


def _is_blocked_in_write(pid):
    """Where the kernel does not name what a process waits in: system call 1 is write."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            return file.read().startswith("1 ")
    except OSError:
        return False
