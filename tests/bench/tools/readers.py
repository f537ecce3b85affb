"""Reads live streams and throws away what comes: readers.py ADDRESS COUNT. Prints a line once all
have begun, and ends when its standard input does."""

import os
import selectors
import socket
import sys

CHUNK = 1 << 18


def main(address, count):
    # Readers are elsewhere: they are not to take the cores from those who are measured.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    host, port = address.rsplit(":", 1)
    selector = selectors.DefaultSelector()
    for _ in range(count):
        stream = socket.create_connection((host, int(port)), 10)
        stream.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        if not stream.recv(CHUNK).startswith(b"HTTP/1.1 200"):
            sys.exit("a stream was refused")
        selector.register(stream, selectors.EVENT_READ)
    print("reading", flush=True)
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if not key.fileobj.recv(CHUNK):
                selector.unregister(key.fileobj)


main(sys.argv[1], int(sys.argv[2]))
