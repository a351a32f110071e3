"""Programs of the demo that outlive the script that started them.

What runs is noted in a folder, with its output, and only that is ended.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

PATIENCE_SECONDS = 60


class Processes:
    """The running programs of one demo, by name."""

    def __init__(self, folder):
        self.folder = folder

    def make_folder(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def start(self, name, command, environment):
        """Starts a program with its output in a file."""
        command = [str(word) for word in command]
        log = os.open(self.log(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        pid = detach(command, environment, log)
        os.close(log)
        note = {"pid": pid, "command": command}
        (self.folder / f"{name}.pid").write_text(json.dumps(note), encoding="utf-8")

    def end_all(self):
        for note in sorted(self.folder.glob("*.pid")):
            stop(json.loads(note.read_text()))
            note.unlink()

    def log(self, name):
        return self.folder / f"{name}.log"

    def wait_for_line(self, name, pattern):
        found = self.wait_for(
            name, lambda: re.search(pattern, self.log(name).read_text(errors="replace"), re.M)
        )
        return found.group(0)

    def wait_for(self, name, condition):
        """Waits until a condition holds; without it, ends everything and the script."""
        note = json.loads((self.folder / f"{name}.pid").read_text())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := condition():
                return found
            if not runs(note):
                break
            time.sleep(0.05)
        text = self.log(name).read_text(errors="replace")
        self.end_all()
        return sys.exit(f"demo.py: {name} did not come up; it wrote:\n{text}")


def detach(command, environment, log):
    """Runs a command as a child of nobody and returns its process id.

    Envoy ends when the process that started it ends, so it is started by one that has gone.
    """
    pid_read, pid_write = os.pipe()
    between = os.fork()
    if between == 0:
        os.setsid()
        os.write(pid_write, str(fork_orphan(command, environment, log)).encode())
        os._exit(0)
    os.waitpid(between, 0)
    os.close(pid_write)
    # The pipe ends when the command is run, which closes it.
    with os.fdopen(pid_read, encoding="utf-8") as pid:
        return int(pid.read())


def fork_orphan(command, environment, log):
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        while os.getppid() == parent:
            time.sleep(0.001)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(descriptor, number)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)


def runs(note):
    """Tells whether a noted process still runs, and is not another with the same number."""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(note["pid"])], capture_output=True, text=True, check=False
    )
    return pathlib.Path(note["command"][0]).name in listed.stdout


def stop(note):
    """Ends a noted process: politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not runs(note):
            return
        os.kill(note["pid"], number)
        deadline = time.monotonic() + 5
        while runs(note) and time.monotonic() < deadline:
            time.sleep(0.05)
