"""Who may use a NATS server in operator mode: keys, the tokens that they sign, and the files that
clients show. Made with openssl."""

import base64
import binascii
import hashlib
import json
import subprocess
import time

_SEED = 18 << 3
_PREFIXES = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
_UNLIMITED = ("subs", "data", "payload")
_JETSTREAM = ("mem_storage", "disk_storage", "streams", "consumer")
_CREDENTIALS = """-----BEGIN NATS USER JWT-----
{token}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


class Identity:
    """An Ed25519 key pair of an operator, an account or a user; `public` is its name."""

    def __init__(self, directory, kind):
        self.kind = kind
        self._file = directory / f"{kind}-{time.monotonic_ns()}.key"
        _openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", self._file)
        key = ("-inform", "DER", "-in", self._file, "-outform", "DER")
        prefix = _PREFIXES[kind]
        # Both forms end with the 32 bytes that count.
        self.public = _text_of(bytes([prefix]) + _openssl("pkey", *key, "-pubout")[-32:])
        self.seed = _text_of(bytes([_SEED | prefix >> 5, (prefix & 31) << 3]) +
                             _openssl("pkey", *key)[-32:])

    def vouch_for(self, other, nats, expires_in=None):
        """A token that says `nats` of the other one; `expires_in`: seconds."""
        claims = {"iss": self.public, "sub": other.public, "name": other.kind,
                  "iat": int(time.time()), "nats": {**nats, "type": other.kind, "version": 2}}
        if expires_in is not None:
            claims["exp"] = claims["iat"] + expires_in
        digest = hashlib.sha256(json.dumps(claims).encode()).digest()
        claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
        text = ".".join(_url_text(json.dumps(part).encode())
                        for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        return f"{text}.{_url_text(self.sign(text.encode()))}"

    def sign(self, data):
        file = self._file.with_suffix(".data")
        file.write_bytes(data)
        return _openssl("pkeyutl", "-sign", "-rawin", "-inkey", self._file, "-keyform", "DER",
                        "-in", file)


class Account:
    """Of an operator's; makes users. `jetstream`: whether it may have streams."""

    def __init__(self, operator, directory, jetstream=True):
        self._directory = directory
        self._identity = Identity(directory, "account")
        self.public = self._identity.public
        limits = dict.fromkeys((*_UNLIMITED, "imports", "exports", "conn", "leaf"), -1)
        if jetstream:
            limits.update(dict.fromkeys(_JETSTREAM, -1))
        self.token = operator.vouch_for(self._identity, {"limits": {**limits, "wildcards": True}})

    def user(self, denied=(), expires_in=None):
        """The text of a credentials file. `denied`: subjects that it may not publish to."""
        user = Identity(self._directory, "user")
        rights = {"pub": {"deny": list(denied)} if denied else {}, "sub": {}}
        token = self._identity.vouch_for(
            user, {**rights, **dict.fromkeys(_UNLIMITED, -1)}, expires_in)
        return _CREDENTIALS.format(token=token, seed=user.seed)


class Operator:
    """Vouches for accounts."""

    def __init__(self, directory):
        self._directory = directory
        self._identity = Identity(directory, "operator")
        self._system = self.account(jetstream=False)

    def account(self, jetstream=True):
        return Account(self._identity, self._directory, jetstream)

    def server_keys(self, *accounts):
        """Of the configuration of a server that knows these accounts."""
        known = {one.public: one.token for one in (self._system, *accounts)}
        return {"operator": self._identity.vouch_for(self._identity, {}),
                "system_account": self._system.public,
                "resolver": "MEMORY", "resolver_preload": known}


def secrets_of(credentials):
    """The token and the seed in a credentials file: what nobody else may see."""
    return [line for line in credentials.splitlines() if line and not line.startswith("---")]


def _text_of(data):
    data += binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data).decode().rstrip("=")


def _url_text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    return done.stdout
