//! A pool in a `static` when `main` returns: nothing waits for its calls, unless the program does.

use super::gate::{Gate, Gates, pass, touch};
use super::*;
use one_change_tests::surroundings;
use std::env;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The argument that makes this program one that has a pool in a `static`. The next argument is the
/// folder of its gates, and then follows [`WAIT`] or nothing.
const FLAG: &str = "--a-pool-in-a-static";

/// The argument that adds the line that waits.
const WAIT: &str = "wait";

static POOL: OnceLock<ProcessPoolExecutor> = OnceLock::new();

fn pass_then_touch((first, second): (Gate, Gate)) -> u64 {
    pass(first) + touch(second)
}

/// The program with the pool, if the arguments ask for it: three calls, and no wait for their
/// answers. The program prints its worker's process id.
pub fn main() -> Option<ExitCode> {
    let mut words = env::args().skip(1).skip_while(|word| word != FLAG).skip(1);
    let folder = words.next()?;
    let gate = |number| Gate::of(folder.as_ref(), number);
    let new = pool(1);
    let pool = POOL.get_or_init(|| new);
    println!("{}", pool.worker_pids()[0]);
    for n in 0..3 {
        drop(pool.submit(pass_then_touch, (gate(n), gate(10 + n))));
    }
    gate(0).until_reached();
    if words.next().as_deref() == Some(WAIT) {
        pool.shutdown(true, false);
    }
    Some(ExitCode::SUCCESS)
}

fn program(gates: &Gates) -> Command {
    let mut program = surroundings::program(env::current_exe().unwrap());
    program.args([FLAG, gates.folder().to_str().unwrap()]).stdout(Stdio::piped());
    program
}

pub fn without_a_wait_its_calls_are_lost() {
    let gates = Gates::new();
    let output = program(&gates).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let worker = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    until("the end of the worker", || is_gone(worker));
    (0..3).for_each(|n| gates.gate(n).open());
    assert!((0..3).all(|n| gates.gate(n).is_reached() == (n == 0)), "one was running");
    assert!((10..13).all(|n| !gates.gate(n).is_reached()), "and did not come to its end");
}

pub fn with_a_shutdown_its_calls_run() {
    let gates = Gates::new();
    let mut program = program(&gates).arg(WAIT).spawn().unwrap();
    gates.gate(0).until_reached();
    assert!(program.try_wait().unwrap().is_none(), "a call is running");
    (0..3).for_each(|n| gates.gate(n).open());
    assert!(program.wait().unwrap().success());
    assert!((0..3).all(|n| gates.gate(n).runs() == 1 && gates.gate(10 + n).runs() == 1));
}
