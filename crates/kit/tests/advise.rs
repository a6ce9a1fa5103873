//! What `kit advise` says, from given costs and from this machine's own, and for bad input.

use kit::advise::{StageCosts, Work, print};
use one_change_tests::surroundings::program;
use schedule::leverage::Costs;
use std::num::NonZeroUsize;

fn n(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("not zero")
}

/// A machine with these cores: threads start in 60 µs, processes in 4 ms, at 1 GB a second.
fn machine(cores: usize) -> StageCosts {
    StageCosts {
        cores: n(cores),
        threads: Costs { start: 60e-6, round_trip: 100e-9, seconds_per_byte: 0.0 },
        processes: Ok(Costs { start: 4e-3, round_trip: 5e-6, seconds_per_byte: 1e-9 }),
    }
}

fn said(work: Work, machine: &StageCosts) -> String {
    let mut out = anstream::AutoStream::never(Vec::new());
    print(work, machine, &mut out).expect("a vector can be written");
    let text = String::from_utf8(out.into_inner()).expect("text");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

fn work(item_ms: f64, bytes: u64, workers: usize, items: usize) -> Work {
    Work { item_seconds: item_ms / 1e3, bytes, workers: n(workers), items: n(items) }
}

#[test]
fn enough_to_compute_and_cores_for_all_workers() {
    insta::assert_snapshot!("many-cores", said(work(2.0, 100_000, 8, 1000), &machine(16)));
}

#[test]
fn workers_beyond_the_cores() {
    insta::assert_snapshot!("two-cores", said(work(2.0, 100_000, 8, 1000), &machine(2)));
}

#[test]
fn too_little_to_compute() {
    insta::assert_snapshot!("tiny", said(work(0.0001, 16, 2, 100), &machine(2)));
}

#[test]
fn too_much_to_carry_is_for_threads_or_for_nobody() {
    insta::assert_snapshot!("heavy", said(work(5.0, 16 << 20, 2, 100), &machine(2)));
}

#[test]
fn one_core_or_one_item_is_a_loop_s() {
    for (work, machine) in [
        (work(50.0, 16, 8, 100), machine(1)),
        (work(50.0, 16, 8, 1), machine(8)),
        (work(50.0, 16, 1, 100), machine(8)),
    ] {
        let said = said(work, &machine);
        assert!(
            said.starts_with("Advice       a loop: 1.00x predicted, at most 1.00x\n"),
            "{said}"
        );
        assert_eq!(said.matches("never").count(), 2, "{said}");
    }
}

#[test]
fn without_processes_the_others_are_weighed() {
    let machine =
        StageCosts { processes: Err("this system has no fork server".into()), ..machine(2) };
    insta::assert_snapshot!("no-processes", said(work(2.0, 100_000, 2, 1000), &machine));
}

/// The lines under this label.
fn under(label: &str, said: &str) -> String {
    let lines = said.lines().skip_while(|line| !line.starts_with(&format!("{label} ")));
    let more = |(at, line): &(usize, &str)| *at == 0 || line.starts_with(' ');
    let lines = lines.enumerate().take_while(more).map(|(_, line)| line.trim());
    lines.collect::<Vec<_>>().join(" ")
}

/// Work, the machine's cores, and what is to be said: at the beginning, of crashes, of one lock, of
/// waiting. Each machine has processes.
#[test]
fn what_is_advised_for_which_work() {
    const FITS: u64 = 1 << 30;
    let (survive, travel) = (": only they survive a crash", "each small enough to travel");
    for (work, cores, words) in [
        // Much too little to compute: no worker pays, and a crash needs a process all the same.
        (work(0.0001, 16, 2, 100), 2, ["a loop: 1.00x", survive, "a loop, 1.00x", "a loop, 1.00x"]),
        (work(1e-9, 0, 1024, 1), 64, ["a loop: 1.00x", survive, "a loop, 1.00x", "a loop, 1.00x"]),
        // Enough to compute, and cores for it.
        (work(2.0, 0, 2, 1000), 2, ["threads: 2.00x", survive, "processes, 1.9", "threads, 2.00x"]),
        // Enough to compute, and one core: only waiting gains.
        (work(9.0, 16, 4, 1000), 1, ["a loop: 1.00x", survive, "a loop, 1.00x", "threads, 4.00x"]),
        // One worker, one item: nothing gains.
        (work(9.0, 16, 1, 1000), 8, ["a loop: 1.00x", survive, "a loop, 1.00x", "a loop, 1.00x"]),
        (work(9.0, 16, 8, 1), 8, ["a loop: 1.00x", survive, "a loop, 1.00x", "a loop, 1.00x"]),
        // More workers than items, and than cores.
        (work(9.0, 16, 8, 3), 8, ["threads: 2.98x", survive, "processes, 2.", "threads, 2.98x"]),
        (work(9.0, 16, 9, 900), 3, ["threads: 3.00x", survive, "processes, 2.9", "threads, 9.00x"]),
        // The longest that travels, one byte more, and as much as can be typed.
        (
            work(1e5, FITS, 2, 10),
            2,
            ["threads: 2.00x", survive, "processes, 1.9", "threads, 2.00x"],
        ),
        (
            work(1e5, FITS + 1, 2, 10),
            2,
            ["threads: 2.00x", travel, "a loop, 1.00x", "threads, 2.00x"],
        ),
        (
            work(8.64e7, 1 << 40, 1024, 1_000_000_000),
            2,
            ["threads: 2.00x", travel, "a loop", "threads, 1,023x"],
        ),
    ] {
        let said = said(work, &machine(cores));
        for (label, words) in ["Advice", "Crashes", "One lock", "Waiting"].into_iter().zip(words) {
            assert!(under(label, &said).contains(words), "{words} of {work:?}:\n{said}");
        }
        // What cannot be done has no time, and what can has one.
        let travels = work.bytes <= FITS;
        assert_eq!(said.contains("\n  processes "), travels, "{said}");
        assert_eq!(said.contains("\nToo large "), !travels, "{said}");
        let idle = said.contains("the workers beyond the items have nothing to do");
        assert_eq!(idle, work.workers > work.items, "{said}");
    }
}

#[test]
fn what_travels_is_what_the_pools_carry() {
    for file in ["../processes/src/frame.rs", "../process-futures/src/wire/packet.rs"] {
        let source = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")));
        assert!(source.expect("a source").contains("const MAX_BODY: usize = 1 << 30;"), "{file}");
    }
}

/// One number stands for an item and its answer: what may fit, each way, is not called too large.
#[test]
fn what_may_travel_each_way_is_said_to() {
    let may = "If item and answer are at most 1 GiB each, processes can do it.";
    let gib = 1 << 30;
    for (bytes, wanted) in [(gib, false), (gib + 1, true), (2 * gib, true), (2 * gib + 1, false)] {
        let said = said(work(50.0, bytes, 2, 100), &machine(2));
        assert_eq!(said.contains(may), wanted, "{bytes}: {said}");
    }
}

#[test]
fn too_large_to_travel() {
    insta::assert_snapshot!("too-large", said(work(50.0, 3 << 30, 2, 100), &machine(2)));
}

fn kit(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = program(env!("CARGO_BIN_EXE_kit"))
        .arg("advise")
        .args(arguments)
        .output()
        .expect("kit starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn this_machine_is_measured_and_the_answer_is_one_of_the_stages() {
    let (status, out, err) = kit(&["--item-ms", "2", "--bytes", "100000", "--workers", "8"]);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    let (name, rest) =
        out.strip_prefix("Advice       ").and_then(|out| out.split_once(": ")).unwrap();
    assert!(["a loop", "threads", "processes"].contains(&name), "{out}");
    let number = |word: &str| word.trim_end_matches(['x', '\n']).parse::<f64>().expect("a number");
    let (gain, most) = rest.lines().next().unwrap().split_once(" predicted, at most ").unwrap();
    assert!(1.0 <= number(gain) && number(gain) <= number(most) && number(most) <= 8.0, "{out}");
    for words in ["1,000 items of 2.00 ms, 100,000 bytes each", "a round trip", "a second"] {
        assert!(out.contains(words), "{words} in\n{out}");
    }
}

#[test]
fn bad_input_gets_one_line_and_status_2() {
    let cases: &[&[&str]] = &[
        &[],
        &["--item-ms", "2"],
        &["--bytes", "16"],
        &["--item-ms", "0", "--bytes", "16"],
        &["--item-ms", "-1", "--bytes", "16"],
        &["--item-ms", "inf", "--bytes", "16"],
        &["--item-ms", "1e3", "--bytes", "16"],
        &["--item-ms", "x", "--bytes", "16"],
        &["--item-ms", "99999999999", "--bytes", "16"],
        &["--item-ms", "2", "--bytes", "-1"],
        &["--item-ms", "2", "--bytes", "1.5"],
        &["--item-ms", "2", "--bytes", "99999999999999999999"],
        &["--item-ms", "2", "--bytes", "16", "--workers", "0"],
        &["--item-ms", "2", "--bytes", "16", "--workers", "1025"],
        &["--item-ms", "2", "--bytes", "16", "--items", "0"],
        &["--item-ms", "2", "--bytes", "16", "--items", "x"],
        &["--item-ms", "2", "--bytes", "16", "--fast"],
    ];
    let mut all = String::new();
    for arguments in cases {
        let (status, out, err) = kit(arguments);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(err.lines().count(), 1, "{arguments:?}: {err}");
        all += &format!("advise {}\n{err}", arguments.join(" "));
    }
    insta::assert_snapshot!("bad-input", all);
}
