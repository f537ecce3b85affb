"""Events as a registry sends them."""

import json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BLOB = "application/octet-stream"


def event(event_id, action="push", media_type=MANIFEST, repository="library/tiny", **more):
    return {
        "id": str(event_id),
        "timestamp": "2026-11-20T21:22:34.384487671Z",
        "action": action,
        "target": {"mediaType": media_type, "size": 555, "repository": repository,
                   "digest": "sha256:" + "0" * 64},
        "request": {"id": "r-1", "method": "PUT", "useragent": "test"},
        "actor": {},
        "source": {"addr": "registry:5000"},
        **more,
    }


def envelope(*events):
    return json.dumps({"events": list(events)}).encode()


def numbered(first, count):
    """An envelope of `count` small events with ids from e<first> on."""
    return envelope(*(event(f"e{n}") for n in range(first, first + count)))


def ids(first, count):
    return [f"e{n}" for n in range(first, first + count)]


def payload_slices(body):
    """The exact text of each element of "events", as it stands in `body`."""
    text = body.decode("utf-8")
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"events"')) + 1
    slices = []
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return slices
        _, end = decoder.raw_decode(text, at)
        slices.append(text[at:end].encode("utf-8"))
        at = end
