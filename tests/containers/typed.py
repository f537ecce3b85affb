"""Checks manifests against the TypeScript types of what reads them."""

import shutil
import unittest

from harness import SOURCE, WORK, environment, require, run

HERE = SOURCE / "tests/containers"


def installed_tools():
    """The packages of package-lock.json, installed once under the build directory."""
    require("node", "npm")
    environment()
    directory = WORK / "typed"
    directory.mkdir(exist_ok=True)
    lock = (HERE / "package-lock.json").read_text()
    done = directory / "installed"
    if not done.exists() or done.read_text() != lock:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, directory / name)
        result = run(
            "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
            cwd=directory, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise unittest.SkipTest("npm cannot install the types:\n" + result.stdout)
        done.write_text(lock)
    shutil.copy(HERE / "typed_check.mjs", directory / "typed_check.mjs")
    return directory


def check_types(kind, *files):
    """The result of compiling the files as typed literals; 0 if each fits its type."""
    directory = installed_tools()
    done = run("node", "typed_check.mjs", "check.ts", kind, *files, cwd=directory, check=False)
    if done.returncode != 0:
        return done
    return run(
        "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
        "--module", "nodenext", "--moduleResolution", "nodenext", "check.ts",
        cwd=directory, check=False,
    )  # fmt: skip
