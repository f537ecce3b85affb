"""A private certificate authority and what it issues, made with openssl."""

import ssl
import subprocess


class Authority:
    def __init__(self, directory):
        self.directory = directory
        self.file = directory / "ca.pem"
        self._key = directory / "ca.key"
        _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", "/CN=Test CA",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self._key, "-out", self.file)

    def issue(self, name, alternative_names="DNS:localhost,IP:127.0.0.1"):
        """(certificate file, key file)."""
        certificate = self.directory / f"{name}.pem"
        key = self.directory / f"{name}.key"
        _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}",
                 "-CA", self.file, "-CAkey", self._key,
                 "-addext", f"subjectAltName={alternative_names}",
                 "-addext", "basicConstraints=critical,CA:false",
                 "-keyout", key, "-out", certificate)
        return certificate, key

    def server_context(self, name, alternative_names="DNS:localhost,IP:127.0.0.1"):
        """For a receiver."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, alternative_names))
        return context

    def client_context(self, alpn=None):
        """For a client of the daemon; trusts this authority only."""
        context = ssl.create_default_context(cafile=str(self.file))
        if alpn is not None:
            context.set_alpn_protocols(alpn)
        return context


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
