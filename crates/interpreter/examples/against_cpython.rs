//! How long this interpreter takes for the ten pairs, against a CPython: the same countdown in
//! both, on one thread, in turns.
//!
//! ```text
//! cargo run --release -p interpreter --example against_cpython -- [--json] [PYTHON [ROUNDS]]
//! ```
//!
//! The exit status is 1 if the bar does not hold, or if nothing was measured.

use interpreter::interpreted_gcd;
use kernel::ten_pairs;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The bar: at most twice CPython's time.
const BAR: f64 = 2.0;

/// The Python side: prints its version, then runs the ten pairs once for each line that it is sent,
/// and answers with the seconds. A wrong answer ends the script.
const SCRIPT: &str = "
import platform, sys, time
sys.path.insert(0, sys.argv[1])
from work import TEN_PAIRS, gcd
print(platform.python_implementation(), platform.python_version(), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    answers = list(map(gcd, TEN_PAIRS))
    seconds = time.perf_counter() - start
    assert answers == [1, 1, 5, 1, 32, 1, 14, 9, 1, 9]
    print(seconds, flush=True)
";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let as_json = words.iter().any(|word| word == "--json");
    words.retain(|word| word != "--json");
    let python = words.first().map_or("python3", String::as_str);
    let rounds: usize = words.get(1).map_or(Ok(11), |word| word.parse())?;

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../lessons/06-interpreter-lock/python");
    let mut child = Command::new(python)
        .args(["-B", "-c", SCRIPT, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{python} does not start: {error}"))?;
    let mut requests = child.stdin.take().ok_or("no pipe to Python")?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe from Python")?).lines();
    let mut line = || lines.next().ok_or("Python has ended")?.map_err(Box::<dyn Error>::from);

    let version = line()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first round warms both interpreters up and is not kept.
    for round in 0..=rounds.max(1) {
        let start = Instant::now();
        let answers: Vec<u64> = ten_pairs().into_iter().map(interpreted_gcd).collect();
        let our_seconds = start.elapsed().as_secs_f64();
        assert_eq!(answers, [1, 1, 5, 1, 32, 1, 14, 9, 1, 9]);
        // If Python has ended, the line below says so, and not the pipe.
        let _ = writeln!(requests);
        let their_seconds: f64 = line()?.parse()?;
        if round > 0 {
            ours.push(our_seconds);
            theirs.push(their_seconds);
        }
    }
    drop(requests);
    child.wait()?;

    let (ours, theirs) = (median(ours), median(theirs));
    let (ratio, holds) = (ours / theirs, ours / theirs <= BAR);
    if as_json {
        println!(
            "[{{\"measured\": \"the ten pairs, interpreted, against {version}\", \
             \"ours\": {ours}, \"other\": {theirs}, \"unit\": \"s\", \
             \"ratio\": {ratio}, \"bar\": {BAR}, \"holds\": {holds}}}]"
        );
    } else {
        println!("the ten pairs, median of {} rounds in turns", rounds.max(1));
        println!("  this interpreter  {ours:.3} s");
        println!("  {version:<16}  {theirs:.3} s");
        println!("  ratio             {ratio:.2} (at most {BAR}: {holds})");
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    if seconds.len() % 2 == 1 {
        seconds[middle]
    } else {
        (seconds[middle - 1] + seconds[middle]) / 2.0
    }
}
