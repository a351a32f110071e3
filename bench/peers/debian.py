#!/usr/bin/env python3
"""Unpacks a Debian package with what it needs under target/tools, prints the folder.

usage: debian.py FOLDER PACKAGE PROGRAM

Nothing is installed into the system: the files are unpacked, and the program is run with
LD_LIBRARY_PATH. A PROGRAM in PATH is taken instead, with the folder `/`.
"""

import pathlib
import shutil
import subprocess
import sys


def main(folder, package, program):
    if shutil.which(program):
        return "/"
    folder = pathlib.Path(folder).resolve()
    done = folder / "portcullis-done"
    if not done.exists():
        archives = folder / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        fetch(package, archives)
        for archive in archives.glob("*.deb"):
            run(["dpkg-deb", "-x", archive, folder])
        shutil.rmtree(archives)
        done.touch()
    return folder


def fetch(package, archives):
    """Downloads a package and those of its dependencies that are not installed."""
    command = ["apt-get", "install", "--download-only", "--no-install-recommends", "-y"]
    options = ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"]
    try:
        run([*command, *options, package])
    except subprocess.CalledProcessError:
        # A fresh machine knows no packages, an old one knows packages that are gone.
        run(["apt-get", "update", "-q"])
        run([*command, *options, package])


def run(command):
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"debian.py: {error}")
