"""The script of lesson 8: its options, its table and its document. No time is asserted."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import escape_hatch
import pytest

SCRIPT = Path(escape_hatch.__file__)
ROWS = [
    "python-serial",
    "python-threads",
    "python-processes",
    "native-serial",
    "native-threads-lock-held",
    "native-threads-lock-released",
    "native-gcd-many",
]


def script(*arguments, **options):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )


@pytest.fixture
def pairs_file(tmp_path):
    def write(content):
        file = tmp_path / "pairs"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def test_the_table(pairs_file):
    done = script("--rounds", 2, "--pairs", pairs_file("12 18\n7 21 # seven\n"))
    assert (done.stderr, done.returncode) == ("", 0)
    lines = done.stdout.splitlines()
    assert lines[0] == "Run          gcd over 2 pairs, 2 workers, 2 rounds, interleaved"
    assert lines[1].startswith("Machine      ")
    assert re.fullmatch(r"Python       CPython 3\.\d+\.\d+, .*", lines[2])
    assert lines[-1] == "Answers      6 7      the same from every row"
    rows = [line for line in lines if re.search(r" [mµ]?s .*x ", line)]
    assert len(rows) == len(ROWS)
    assert len({len(row) for row in rows}) == 1, "the columns stand under each other"


def test_the_document(pairs_file):
    pairs = [(12, 18), (7, 21), (100, 75), (30, 30), (999, 1000)]
    file = pairs_file("\n".join(f"{a} {b}" for a, b in pairs))
    done = script("--json", "--rounds", 3, "--workers", 3, "--pairs", file)
    assert (done.stderr, done.returncode) == ("", 0)
    run = json.loads(done.stdout)
    assert (run["lesson"], run["kernel"], run["workers"], run["rounds"]) == (8, "gcd", 3, 3)
    assert run["answers"] == [math.gcd(a, b) for a, b in pairs]
    assert run["items"] == 5
    assert run["prediction"] == {
        "steps": 1059, "longest": 999, "bound": 1059 / 999, "makespan": {"queue": 1001},
    }
    assert [stage["name"] for stage in run["stages"]] == ROWS
    for stage in run["stages"]:
        assert 0 < stage["low"] <= stage["seconds"] <= stage["high"]
    serial = {stage["name"]: stage["seconds"] for stage in run["stages"]}
    for stage in run["stages"]:
        assert stage["speedup"] == serial["python-serial"] / stage["seconds"]
        assert stage["speedup_to_own_serial"] == serial[stage["own_serial"]] / stage["seconds"]


def test_head_foot_and_record(pairs_file, tmp_path):
    frame = {"ONE_CHANGE_HEAD": "the head", "ONE_CHANGE_FOOT": "the\nfoot"}
    options = ["--rounds", 1, "--pairs", pairs_file("12 18\n"), "--record", tmp_path / "record"]
    done = script(*options, env=os.environ | frame)
    assert (done.stderr, done.returncode) == ("", 0)
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-2:]) == ("the head", ["the", "foot"])
    assert json.loads((tmp_path / "record").read_text())["answers"] == [6]
    done = script(*options, "--json", env=os.environ | frame)
    assert json.loads(done.stdout)["lesson"] == 8, "the document alone"
    options[-1] = tmp_path / "gone" / "record"
    done = script(*options)
    assert done.stderr == "error: the record was not written: No such file or directory\n"


def test_the_predictions_are_those_of_the_rust_crate():
    # A test of crates/schedule asserts the same figures.
    ten = escape_hatch.read_pairs_file(str(escape_hatch.TEN_PAIRS))
    assert escape_hatch.total(ten) == 20_620_754
    assert max(map(escape_hatch.steps, ten)) == 3_823_804
    queue = {
        n: f"{escape_hatch.total(ten) / escape_hatch.queue_makespan(ten, n):.2f}" for n in (2, 3, 4, 8)
    }
    assert queue == {2: "1.97", 3: "2.71", 4: "3.03", 8: "4.27"}
    assert f"{escape_hatch.bound(ten, 10):.2f}" == "5.39"


def test_the_python_kernel_is_the_kernel():
    for a, b in [(12, 18), (1, 1), (7, 21), (1000, 999), (50, 50)]:
        assert escape_hatch.gcd(a, b) == math.gcd(a, b)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--workers", "0"], "argument --workers: '0' is not a whole number from 1 to 1024"),
        (["--workers", "1025"], "argument --workers: '1025' is not a whole number from 1 to 1024"),
        (["--workers", "-1"], "argument --workers: '-1' is not a whole number from 1 to 1024"),
        (["--workers=-1"], "argument --workers: '-1' is not a whole number from 1 to 1024"),
        (["--workers", "two\nlines"],
         r"argument --workers: 'two\nlines' is not a whole number from 1 to 1024"),
        (["--rounds", "1_0"], "argument --rounds: '1_0' is not a whole number from 1 to 1000"),
        (["--rounds", "9" * 5000],
         f"argument --rounds: '{'9' * 32}…' is not a whole number from 1 to 1000"),
        (["--rounds"], "argument --rounds: expected one argument"),
        (["--round", "1"], "unrecognized arguments: --round 1"),
        (["a\nb"], r"unrecognized arguments: a\nb"),
        (["--pairs", "/nowhere/pairs"], "/nowhere/pairs: there is no such file"),
        (["--pairs", "/"], "/: this is a folder, not a file of pairs"),
        (["--pairs", ""], ": there is no such file"),
    ],
)
def test_bad_options_are_one_line(arguments, line):
    done = script(*arguments)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"error: {line}\n", 2)


# The same messages as in crates/kernel/src/pairs_file.rs, line for line.
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 2\n0 3\n", "2: a pair needs two positive numbers, and one is 0"),
        ("-4 3", "1: '-4' is negative; a pair needs positive numbers"),
        ("\n\n4 three", "3: 'three' is not a whole number"),
        ("1.5 3", "1: '1.5' is not a whole number"),
        ("1_0 3", "1: '1_0' is not a whole number"),
        ("\u0663 3", "1: '\u0663' is not a whole number"),
        ("1 2 3", "1: two positive integers are wanted, 3 words are here"),
        ("1", "1: two positive integers are wanted, one word is here"),
        ("18446744073709551616 1", "1: '18446744073709551616' does not fit in 64 bits"),
        ("18446744073709551615 1\n-", "2: two positive integers are wanted, one word is here"),
        ("- 1", "1: '-' is not a whole number"),
        (f"1 {'9' * 5000}", f"1: '{'9' * 32}…' does not fit in 64 bits"),
        (b"1 2\n3 \xff4\n", "2: this is not UTF-8 text"),
        ("# nothing\n", None),
        ("", None),
    ],
)
def test_bad_pairs_are_one_line_with_file_and_number(pairs_file, content, message):
    file = pairs_file(content)
    message = f":{message}" if message else ": there is no pair in it: two positive integers a line"
    with pytest.raises(escape_hatch.Failure) as caught:
        escape_hatch.read_pairs_file(str(file))
    assert (str(caught.value), caught.value.status) == (f"{file}{message}", 2)


def test_good_pairs(pairs_file):
    file = pairs_file("\ufeff# pairs\r\n\r\n12 18\r\n  7\t+21 # seven\n000000000000000000000005 5")
    assert escape_hatch.read_pairs_file(str(file)) == [(12, 18), (7, 21), (5, 5)]


def test_output_that_nobody_reads(pairs_file):
    with subprocess.Popen(
        [sys.executable, SCRIPT, "--rounds", "1", "--pairs", pairs_file("12 18\n")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:
        child.stdout.close()
        assert child.stderr.read() == ""
        assert child.wait(timeout=120) == 0


def test_without_the_module_it_says_what_builds_it():
    # -S leaves out site-packages, where the module is.
    done = subprocess.run(
        [sys.executable, "-S", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: No module named 'one_change'; just lesson-8 builds it and runs this script\n"
    )
