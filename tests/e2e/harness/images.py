"""Tiny OCI images, made here so that nothing is downloaded."""

import gzip
import hashlib
import io
import json
import tarfile


class ImageLayout:
    """An OCI image layout with one image of `layers` small layers, tagged `v1`. `seed` makes its
    blobs unlike those of other images."""

    def __init__(self, directory, layers=2, seed="a"):
        self.directory = directory
        (directory / "blobs" / "sha256").mkdir(parents=True)
        tars = [_tar(f"layer{n}-{seed}.txt", f"{seed} {n}\n".encode()) for n in range(layers)]
        zipped = [gzip.compress(tar, mtime=0) for tar in tars]
        config = {"architecture": "amd64", "os": "linux", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar in tars]}}
        self.layers = [self._blob("application/vnd.oci.image.layer.v1.tar+gzip", data)
                       for data in zipped]
        self.config = self._blob("application/vnd.oci.image.config.v1+json",
                                 json.dumps(config).encode())
        self.manifest_bytes = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.config, "layers": self.layers}).encode()
        self.manifest = self._blob("application/vnd.oci.image.manifest.v1+json",
                                   self.manifest_bytes)
        index = {**self.manifest, "annotations": {"org.opencontainers.image.ref.name": "v1"}}
        (directory / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "manifests": [index]}))
        (directory / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))

    def _blob(self, media_type, data):
        digest = _digest(data)
        (self.directory / "blobs" / "sha256" / digest.partition(":")[2]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _tar(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()
