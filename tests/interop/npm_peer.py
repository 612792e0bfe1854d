"""dcmjs-dimse of npm, in the build folder; without npm or a registry: skipped."""
import fcntl
import pathlib
import subprocess
import tempfile

from harness import BUILD, Missing, need

PACKAGE = "dcmjs-dimse@0.3.3"


def dcmjs_modules():
    """The node_modules it is in; fetched once, by one of the tests that run side by side."""
    need("node", "npm")
    folder = BUILD / "npm"
    with open(BUILD / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # Whole or not at all: what an interrupted run leaves is not taken for a package.
            with tempfile.TemporaryDirectory(dir=BUILD, prefix="npm-") as part:
                try:
                    done = subprocess.run(["npm", "install", "--prefix", part, "--no-audit", "--no-fund", PACKAGE],
                                          capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
                except subprocess.TimeoutExpired:
                    raise Missing(f"{PACKAGE} did not come from npm in time") from None
                if done.returncode != 0:
                    raise Missing(f"{PACKAGE} cannot be had from npm")
                pathlib.Path(part).rename(folder)
                pathlib.Path(part).mkdir()
    return folder / "node_modules"
