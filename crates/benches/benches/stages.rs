//! The cost of each stage, as curves: `just bench`, or `just bench payload` for one group.
//!
//! The stages come from [`every_stage!`]; a new stage is measured as soon as it has a line there.
//! All stages have two workers. The book quotes the lessons' own runs, which interleave the
//! contenders; these benches measure one stage at a time, over more sizes.

use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime,
};
use kernel::{Bytes, Executor, Message, gcd, ten_pairs};
use one_change_tests::{Stage, every_stage};
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// The ten pairs on every stage, and in a loop without any stage.
fn ladder(criterion: &mut Criterion) {
    fn bench<E: Executor>(group: &mut Group<'_>, stage: Stage<E>) {
        let executor = (stage.make)(TWO);
        group.bench_function(stage.label, |bencher| {
            bencher.iter(|| executor.map(gcd, ten_pairs()).expect("every pair has an answer"));
        });
    }
    let mut group = criterion.benchmark_group("ladder");
    group.sample_size(21).measurement_time(Duration::from_secs(3));
    group.bench_function("bare loop", |bencher| {
        bencher.iter(|| ten_pairs().into_iter().map(gcd).collect::<Vec<_>>());
    });
    every_stage!(stage => bench(&mut group, stage));
    group.finish();
}

/// The fixed cost of a stage: it is made, answers one item, and is dropped. (The fork server runs
/// already, because it starts once in the life of a program.)
fn start(criterion: &mut Criterion) {
    fn bench<E: Executor>(group: &mut Group<'_>, stage: Stage<E>) {
        group.bench_function(stage.label, |bencher| {
            bencher.iter(|| (stage.make)(TWO).map(next, vec![black_box(1)]).expect("an answer"));
        });
    }
    let mut group = criterion.benchmark_group("start");
    group.sample_size(30).measurement_time(Duration::from_secs(2));
    every_stage!(stage => bench(&mut group, stage));
    group.finish();
}

/// The cost of one tiny task among ten thousand: almost only the stage's own work.
fn tiny(criterion: &mut Criterion) {
    const ITEMS: u64 = 10_000;
    fn bench<E: Executor>(group: &mut Group<'_>, stage: Stage<E>) {
        let executor = (stage.make)(TWO);
        group.bench_function(stage.label, |bencher| {
            bencher.iter_batched(
                || (0..ITEMS).collect::<Vec<u64>>(),
                |items| executor.map(next, items).expect("every item has an answer"),
                BatchSize::LargeInput,
            );
        });
    }
    let mut group = criterion.benchmark_group("tiny");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(ITEMS));
    every_stage!(stage => bench(&mut group, stage));
    group.finish();
}

fn next(n: u64) -> u64 {
    n + 1
}

/// Payload sizes from one number to 64 MiB, each at most 16 times the last.
const SIZES: [usize; 7] = [8, 128, 2 << 10, 32 << 10, 512 << 10, 8 << 20, 64 << 20];

/// The largest payload as a plain `Vec<u8>`. Each byte is written and read by itself, on the way
/// there and on the way back, so 64 MiB would take most of the benches' time, only to extend a
/// straight line.
const LARGEST_PLAIN: usize = 8 << 20;

/// One item of this many bytes, there and back. Within one memory a payload is not moved, whatever
/// its size; between processes it is copied, as one block ([`Bytes`]) or byte by byte (`Vec<u8>`).
fn payload(criterion: &mut Criterion) {
    fn bench<E: Executor, P: Message + Clone>(
        group: &mut Group<'_>,
        stage: Stage<E>,
        payload: fn(Vec<u8>) -> P,
        largest: usize,
    ) {
        let executor = (stage.make)(TWO);
        for size in SIZES.into_iter().filter(|&size| size <= largest) {
            let payload = payload(vec![200; size]);
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new(stage.label, size), |bencher| {
                bencher.iter_batched(
                    || vec![payload.clone()],
                    |items| executor.map(same::<P>, items).expect("an answer"),
                    if size < 1 << 20 { BatchSize::SmallInput } else { BatchSize::PerIteration },
                );
            });
        }
    }
    fn same<P>(payload: P) -> P {
        payload
    }
    for kind in ["payload, Bytes", "payload, Vec"] {
        let mut group = criterion.benchmark_group(kind);
        group.sample_size(10).warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(1));
        if kind == "payload, Bytes" {
            every_stage!(stage => bench(&mut group, stage, Bytes::from, usize::MAX));
        } else {
            every_stage!(stage => bench(&mut group, stage, |bytes| bytes, LARGEST_PLAIN));
        }
        group.finish();
    }
}

fn main() {
    // Start the fork server first, while there is one thread; criterion starts more threads later.
    // An error is ignored here: the code that makes a pool reports it.
    let _ = processes::ForkServer::start();
    let mut criterion = Criterion::default().configure_from_args();
    ladder(&mut criterion);
    start(&mut criterion);
    tiny(&mut criterion);
    payload(&mut criterion);
    criterion.final_summary();
}
