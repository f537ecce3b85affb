"""Verifies signatures as a receiver would; knows nothing of how they are made."""

import base64
import hashlib
import hmac
import pathlib
import subprocess
import tempfile
import time

KEY_1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY_2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PRIVATE_KEY = ("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9"
               "lMicMFs6Kvg==")
PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


def sign(secret, webhook_id, timestamp, body):
    """`v1,…`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def signatures(request):
    """The items of `webhook-signature`, of which there must be one header."""
    values = request.all("webhook-signature")
    assert len(values) == 1, request.headers
    return values[0].split(" ")


def is_fresh(request, seconds=60):
    return abs(time.time() - int(request.header("webhook-timestamp"))) <= seconds


def is_signed_with(secret, request):
    """Whether one of the request's signatures is that of the secret, symmetric."""
    expected = sign(secret, request.header("webhook-id"), request.header("webhook-timestamp"),
                    request.body)
    return expected in signatures(request) and is_fresh(request)


def is_signed_by_public_key(public_key, request):
    """Whether one of the request's signatures is of the ed25519 key, as OpenSSL sees it."""
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    der = bytes.fromhex("302a300506032b6570032100") + raw  # SubjectPublicKeyInfo, RFC 8410
    text = f"{request.header('webhook-id')}.{request.header('webhook-timestamp')}.".encode()
    with tempfile.TemporaryDirectory(prefix="fanfare-e2e-") as name:
        directory = pathlib.Path(name)
        (directory / "key").write_bytes(der)
        (directory / "text").write_bytes(text + request.body)
        for item in signatures(request):
            version, _, signature = item.partition(",")
            if version != "v1a":
                continue
            (directory / "signature").write_bytes(base64.b64decode(signature))
            done = subprocess.run(
                ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key",
                 "-rawin", "-in", "text", "-sigfile", "signature"],
                cwd=directory, capture_output=True, check=False)
            if done.returncode == 0:
                return is_fresh(request)
    return False


def is_signed_as_github(secret, request):
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return request.all("X-Hub-Signature-256") == ["sha256=" + digest]


def is_signed_as_stripe(secret, request):
    values = request.all("Stripe-Signature")
    assert len(values) == 1, request.headers
    items = [item.partition("=")[::2] for item in values[0].split(",")]
    assert items[0][0] == "t", values
    text = items[0][1].encode() + b"." + request.body
    digest = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return ("v1", digest) in items and abs(time.time() - int(items[0][1])) <= 60
