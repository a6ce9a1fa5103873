//! What `submit(…).result()` costs, compared with the same bytes there and back between two
//! processes.
//!
//! Both are measured in turns, and their medians are compared. `cargo run --release --example
//! round_trip`.

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kernel::Executor;
use process_futures::ProcessPoolExecutor;
use processes::ProcessPool;

/// The length of a frame with a small number: header and body.
const FRAME: usize = 33;
const ROUNDS: usize = 20_000;

fn next(n: u8) -> u8 {
    n + 1
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("echo") {
        return echo();
    }
    let one = 1.try_into()?;
    let pool = ProcessPoolExecutor::builder().max_workers(one).build()?;
    let stage = ProcessPool::new(one)?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut peer = Command::new(env::current_exe()?)
        .arg("echo")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let (mut bare, mut mapped, mut submitted) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = Instant::now();
        let mut frame = [0; FRAME];
        ours.write_all(&frame)?;
        ours.read_exact(&mut frame)?;
        bare.push(start.elapsed());

        let start = Instant::now();
        stage.map(next, vec![(round % 100) as u8])?;
        mapped.push(start.elapsed());

        let start = Instant::now();
        pool.submit(next, (round % 100) as u8).result()?;
        submitted.push(start.elapsed());
    }
    drop(ours);
    peer.wait()?;
    let [bare, mapped, submitted] = [bare, mapped, submitted].map(median);
    let ratio = |time: Duration| time.as_secs_f64() / bare.as_secs_f64();
    println!("a bare frame there and back   {bare:>10.2?}");
    println!("ProcessPool::map of one item  {mapped:>10.2?}   {:.2}x", ratio(mapped));
    println!("submit(…).result()            {submitted:>10.2?}   {:.2}x", ratio(submitted));
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The other process: sends back what comes through its standard input, which is a socket.
fn echo() -> Result<(), Box<dyn Error>> {
    use std::os::fd::AsFd;
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut frame = [0; FRAME];
    while socket.read_exact(&mut frame).is_ok() {
        socket.write_all(&frame)?;
    }
    Ok(())
}
