"""The smallest image that a registry takes, pushed with skopeo."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import tempfile

from harness import run


def write_layout(directory):
    """An OCI image layout with one layer."""
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(media_type, data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 6
        tar.addfile(entry, io.BytesIO(b"hello\n"))
    diff_id = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff_id]},
    }
    oci = "application/vnd.oci.image."
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci + "manifest.v1+json",
        "config": blob(oci + "config.v1+json", json.dumps(config).encode()),
        "layers": [blob(oci + "layer.v1.tar+gzip", gzip.compress(layer.getvalue(), mtime=0))],
    }
    entry = blob(oci + "manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    index = {"schemaVersion": 2, "manifests": [entry]}
    (directory / "index.json").write_text(json.dumps(index))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def push_tiny_image(registry, repository, tag):
    with tempfile.TemporaryDirectory() as directory:
        write_layout(pathlib.Path(directory))
        run(
            "skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false",
            f"oci:{directory}:v1", f"docker://{registry}/{repository}:{tag}",
        )  # fmt: skip
