"""Programs for Node with packages from the npm registry, pinned by their package-lock.json."""

import os
import pathlib
import shutil
import subprocess
import unittest

from harness.process import require_program

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "node"


def installed(name, source=None):
    """The folder of that name below node/, or `source`, copied to the build directory, packages
    installed. Skips the test if they cannot be."""
    require_program("node", "npm")
    source = source or SOURCES / name
    build = pathlib.Path(os.environ["FANFARE"]).resolve().parent.parent
    directory = build / "tests" / "e2e" / "node" / name
    directory.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file():
            shutil.copy(file, directory / file.name)
    lock = (source / "package-lock.json").read_text()
    done = directory / "installed"
    if not done.exists() or done.read_text() != lock:
        result = subprocess.run(["npm", "ci", "--loglevel=error"], cwd=directory,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                                check=False)
        if result.returncode != 0:
            raise unittest.SkipTest("npm cannot install the packages:\n" + result.stderr.decode())
        done.write_text(lock)
    return directory


def run_node(directory, script, text):
    """What the script prints, given `text` on its stdin."""
    result = subprocess.run(["node", script], cwd=directory, input=text.encode(),
                            capture_output=True, timeout=60, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{script}: exit {result.returncode}\n{result.stderr.decode()}")
    return result.stdout.decode()
