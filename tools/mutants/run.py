#!/usr/bin/env python3
"""Are the tests worth something? Change one line of the program, and see which test minds.

    tools/mutants/run.py [WORD ...]       only those whose name holds one of the words

Reads tools/mutants/mutants.txt. Works on a copy of the tree in a temporary folder (COPY=path keeps
one, so that the next time starts built). Each mutant: change, build, run the tests it names, change
back. killed: a test failed, or the program did not build. survived: a missing test, or a missing
thought. Exit 1 if one survived, or no longer finds its line.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
TEST_S = 900


def mutants():
    """Blocks of `key: value`, parted by an empty line; # begins a comment."""
    with open(os.path.join(HERE, "mutants.txt"), encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    for block in blocks:
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield dict(line.split(": ", 1) for line in lines)


def copy_tree():
    copy = os.environ.get("COPY") or tempfile.mkdtemp(prefix="payonce-mutants-")
    names = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=TREE, capture_output=True, text=True,
                           check=True).stdout.split("\0")
    for name in filter(os.path.exists, (os.path.join(TREE, name) for name in names if name)):
        name = os.path.relpath(name, TREE)
        source, target = os.path.join(TREE, name), os.path.join(copy, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target) or os.path.getmtime(source) > os.path.getmtime(target) or (
                os.path.getsize(source) != os.path.getsize(target)):
            shutil.copy2(source, target)
    return copy


def shell(command, folder):
    """Exit code and what it said; a test that hangs has noticed something, too."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              errors="replace", timeout=TEST_S)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return 124, "it hangs"


def build(copy):
    return shell(["ninja", "-C", "build", "--quiet", "all", "meson-test-prereq"], copy)


def tried(mutant, copy):
    """killed, survived or lost, and by what."""
    path = os.path.join(copy, mutant["file"])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(mutant["from"]) != 1:
        return "lost", f"{mutant['file']} holds it {text.count(mutant['from'])} times"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(mutant["from"], mutant["to"]))
    try:
        if build(copy)[0] != 0:
            return "killed", "it does not build"
        code, said = shell(["meson", "test", "-C", "build", "--no-rebuild", "--maxfail", "1",
                            *mutant["tests"].split()], copy)
        failed = re.findall(r"/ (\S+) +(?:FAIL|TIMEOUT|ERROR) ", said)
        return ("killed", ", ".join(failed) or said[-100:]) if code else ("survived", "")
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def main(words):
    copy = copy_tree()
    if not os.path.exists(os.path.join(copy, "build", "build.ninja")):
        subprocess.run(["meson", "setup", "build"], cwd=copy, check=True, capture_output=True)
    code, said = build(copy)
    if code != 0:
        print(f"without any change it does not build:\n{said[-2000:]}")
        return 2
    counts = {"killed": 0, "survived": 0, "lost": 0}
    for mutant in mutants():
        if words and not any(word in mutant["name"] for word in words):
            continue
        start = time.monotonic()
        result, by = tried(mutant, copy)
        counts[result] += 1
        print(f"{result:9} {mutant['name']:60} {time.monotonic() - start:5.1f} s  {by}", flush=True)
    if "COPY" not in os.environ:
        shutil.rmtree(copy)
    print(", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["survived"] or counts["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
