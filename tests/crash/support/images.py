"""What a power cut may leave on a disk, rebuilt from the record of what it was told."""

import collections

SECTOR = 512


class _File:
    """Its content, and what no sync covers yet: (number of the record, record)."""

    def __init__(self, data=b""):
        self.data = bytearray(data)
        self.loose = []

    def sync(self, before):
        while self.loose and self.loose[0][0] < before:
            self.apply(self.loose.pop(0)[1])

    def apply(self, record):
        if record.kind == "truncate":
            self._resize(record.position)
        else:
            self._put(record.position, record.data)

    def apply_torn(self, record, random):
        """Some of the sectors, wherever the write begins."""
        begin, end = record.position, record.position + len(record.data)
        for sector in range(begin // SECTOR, (end + SECTOR - 1) // SECTOR):
            first, last = max(begin, sector * SECTOR), min(end, (sector + 1) * SECTOR)
            if random.random() < 0.5:
                self._put(first, record.data[first - begin:last - begin])

    def after_cut(self, random):
        """What may be left of the content."""
        left = _File(self.data)
        # Either most of it had reached the disk, or little, or anything.
        chance = random.choice((0.1, 0.5, 0.9))
        for _, record in self.loose:
            fate = random.random()
            if fate < chance * 0.8:
                left.apply(record)
            elif fate < chance and record.kind == "write":
                left.apply_torn(record, random)
        return bytes(left.data)

    def _resize(self, size):
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))

    def _put(self, offset, data):
        if len(self.data) < offset + len(data):
            self._resize(offset + len(data))
        self.data[offset:offset + len(data)] = data


class Platter:
    """Follows a record, and gives at any moment what might be left. What one file's sync covered
    is there; of the rest each write is there, not there, or in parts, whatever came later. Of a
    folder's names the synced changes are there, and of the others a first part."""

    def __init__(self):
        self._names = {}
        self._loose_names = []  # (number of the record, record, its file)
        self._files = {}        # by inode

    def follow(self, number, record):
        """Takes the next record; they have numbers from 0."""
        if record.kind in ("create", "erase", "rename"):
            if record.kind == "create":
                self._files[record.inode] = _File()  # inodes are used again
            self._loose_names.append((number, record, self._files[record.inode]))
        elif record.kind == "sync_dir":
            while self._loose_names and self._loose_names[0][0] < record.position:
                _, change, file = self._loose_names.pop(0)
                _rename(self._names, change, file)
        elif record.kind == "sync":
            self._files[record.inode].sync(record.position)
        else:
            self._files[record.inode].loose.append((number, record))

    def cut(self, random):
        """Names and contents of the files after a power cut now."""
        names = dict(self._names)
        for _, change, file in self._loose_names[:random.randint(0, len(self._loose_names))]:
            _rename(names, change, file)
        return {name: file.after_cut(random) for name, file in names.items()}


def _rename(names, change, file):
    if change.kind == "create":
        names[change.names[0]] = file
    elif change.kind == "erase":
        names.pop(change.names[0], None)
    elif change.names[0] in names:
        names[change.names[1]] = names.pop(change.names[0])


def write_image(image, folder):
    folder.mkdir(mode=0o700)
    for name, data in image.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
