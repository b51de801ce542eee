#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Validates what the program prints with --json against docs/schema, on every recorded host.

    validate.py TESSERA FAKEHOST

A key that no schema names is an error, and so is a schema that the sources print and docs/schema lacks.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema

tessera, fakehost = sys.argv[1:]
top = pathlib.Path(__file__).resolve().parents[2]
schemas = {}
for file in sorted((top / "docs/schema").glob("*.json")):
    schema = json.loads(file.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    name = schema["properties"]["schema"]["const"]
    assert file.name == name.removeprefix("tessera/").replace("/", "-") + ".json", f"{file}: is {name}"
    schemas[name] = jsonschema.Draft202012Validator(schema)
seen = {}
wrong = []


def check(root, *words):
    """Runs a command and validates its output, which is returned."""
    ran = subprocess.run([tessera, "--root", str(root), "--json", *words], capture_output=True, text=True,
                         timeout=120, check=False)
    command = f"tessera --root {root} --json {' '.join(words)}"
    try:
        output = json.loads(ran.stdout)
    except json.JSONDecodeError:
        wrong.append(f"{command}: prints no JSON: {ran.stdout[:200]!r} {ran.stderr}")
        return {}
    name = output.get("schema")
    if name not in schemas:
        wrong.append(f"{command}: docs/schema has no {name}")
        return output
    seen[name] = seen.get(name, 0) + 1
    for error in schemas[name].iter_errors(output):
        wrong.append(f"{command}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    return output


def check_host(root):
    check(root, "doctor")
    check(root, "topo")
    check(root, "profiles")
    check(root, "list", "slices")
    for card in check(root, "list").get("cards", []):
        address = card["address"]
        check(root, "show", address)
        check(root, "doctor", address)
        check(root, "assign", address, "--to", "vm", "--dry-run", "--force")
    check(root, "show", "ff:1f.7")


def check_changes(work):
    """On the fake host, where a change can be made and taken back."""
    host = work / "host"
    subprocess.run([fakehost, top / "tests/hosts/lab-twin-cards/tree.tsv", host], check=True, timeout=60)
    try:
        check(host, "assign", "01:00.0", "--to", "vm", "--dry-run")
        check(host, "assign", "01:00.0", "--to", "vm")
        check(host, "undo")
        check(host, "history")
        check(host, "recover")
    finally:
        subprocess.run([fakehost, "--unmount", host], check=False, timeout=60)
    for name in ("tessera/plan/1", "tessera/change/1", "tessera/history/1"):
        if name not in seen:
            wrong.append(f"nothing printed {name}")


def check_run(work):
    """A machine that draws on nothing and says so, emulated; where there is QEMU."""
    guest = pathlib.Path(tessera).parent / "lab-guest.elf"
    if not shutil.which("qemu-system-x86_64") or not guest.exists():
        return
    said = check("/", "--state", str(work), "run", "--name", "schema", "--memory", "64", "--accel", "tcg",
                 "--kernel", str(guest), "--until", "GUEST READY")
    if said.get("state") != "stopped" or "ready_ms" not in said:
        wrong.append(f"a machine that was to be stopped when it is ready: {said}")


def printed_by_the_sources():
    names = set()
    for file in (top / "src").rglob("*"):
        if file.suffix in (".cpp", ".h") and not file.name.endswith("_test.cpp"):
            names.update(re.findall(r'"(tessera/[a-z-]+/\d+)"', file.read_text()))
    return names


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    for tree in sorted((top / "tests/hosts").glob("*/tree.tsv")):
        check_host(tree)
    check(top / "tests/hosts/nvidia-p100-mdev/tree.tsv", "record", str(work / "recording.tsv"))
    check("/", "doctor", "--list-checks")
    for text in sorted((top / "tests/smi").glob("*.xml")):
        check("/", "health", "--from", str(text), "--vgpus-from", str(top / "tests/smi/vgpu-q-580.txt"))
    check("/", "lab", "list")
    check("/", "lint", "--list-rules")
    texts = [str(file) for file in sorted((top / "tests/lint-texts/kinds").rglob("*")) if file.is_file()]
    check(top / "tests/hosts/lab-twin-cards/tree.tsv", "lint", *texts)
    check_run(work)
    if pathlib.Path("/dev/fuse").exists():
        check_changes(work)

for name in sorted(printed_by_the_sources() - set(schemas)):
    wrong.append(f"the sources print {name}, and docs/schema does not have it")
print(", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
print("not printed here:", ", ".join(sorted(set(schemas) - set(seen))) or "none")
print("\n".join(wrong[:40]))
sys.exit(1 if wrong else 0)
