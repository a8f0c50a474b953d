"""What the tests stand on: the world that ships, and the program (AAR_BIN, else the release build's)."""

import os
import subprocess
from pathlib import Path

import aar
import pytest

ROOT = Path(__file__).resolve().parents[2]
WORLD = ROOT / "worlds" / "harbour"
PROGRAM = Path(os.environ.get("AAR_BIN", ROOT / "target" / "release" / "aar"))


@pytest.fixture(scope="session")
def data():
    return aar.Data(WORLD / "public")


@pytest.fixture(scope="session")
def student(data):
    return data.student(threads=1)


@pytest.fixture
def program():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built: cargo build --release")

    def run(*words, **env):
        words = [str(word) for word in (PROGRAM, *words)]
        done = subprocess.run(words, cwd=ROOT, env={**os.environ, **env}, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run
