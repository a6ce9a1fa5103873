//! The way of a worker's bytes into the pool, for the fuzzer. This file is compiled into the crate
//! only when fuzzing.

use crate::caller::WorkerHandle;
use crate::wire::packet::{Packet, PacketKind, body};
use fork_server::TaskFailure;
use fork_server::wire::pair;
use kernel::{Bytes, Message};
use nix::sys::socket::SockType;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};

/// Four calls are under way, with the numbers 0 to 3, and these bytes come back. The first byte
/// says how many bytes come at a time.
pub fn from_a_worker(bytes: &[u8]) {
    let Some((&cut, mut bytes)) = bytes.split_first() else { return };
    let (ours, theirs) = pair(SockType::Stream).expect("a socket pair");
    let mut handle = WorkerHandle::new(0, ours, usize::MAX);
    for task in 0..4 {
        // The calls are small, except one whose buffer can serve a large answer.
        let length = if task == 1 { 100_000 } else { 10 };
        let argument = body(&Bytes::from(vec![7; length]), Vec::new()).expect("it is small");
        handle.give(Packet::new(PacketKind::Call, task, [1, 2], argument));
    }
    handle.send();
    let mut worker = File::from(theirs);
    let mut numbers = 0;
    while !bytes.is_empty() && !handle.ended {
        let part = &bytes[..bytes.len().min(1 + 64 * usize::from(cut))];
        match worker.write(part) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break, // the pool wants no more
        }
        handle.receive(false, |answer| read_all(&answer, &mut numbers));
    }
    drop(worker);
    handle.receive(true, |answer| read_all(&answer, &mut numbers));
    assert!(handle.ended);
    let (running, waiting) = handle.unfinished_calls(true);
    let left = usize::from(running.is_some()) + waiting.len();
    assert_eq!(numbers as usize + left, 4, "each call ends once");
    // A waiting call will be sent again, so it must be whole.
    assert!(waiting.iter().all(|call| call.bytes.len() == call.header.frame()));
}

/// Answers come in order, and each answer is read as every type that the task may have promised.
fn read_all(answer: &Packet, next: &mut u64) {
    assert_eq!(answer.header.task, *next);
    *next += 1;
    fn read<R: Message>(answer: &Packet) {
        let _ = answer.answer::<R>();
    }
    read::<u64>(answer);
    read::<(char, bool, f32, [i16; 3])>(answer);
    read::<String>(answer);
    read::<Bytes>(answer);
    read::<Option<Vec<Vec<u32>>>>(answer);
    read::<BTreeMap<String, Option<f64>>>(answer);
    read::<Vec<Result<Bytes, TaskFailure>>>(answer);
}
