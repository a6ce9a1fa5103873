//! A recursion that fits the main thread's stack and not a thread's usual stack.

use super::{Test, workers};
use kernel::Executor;
use one_change_tests::own_process::Expect;
use one_change_tests::{NonZeroUsize, Split, ThreadPool, Threads, WorkStealing};
use std::hint::black_box;

/// Stack for the recursion and more, in bytes.
const ENOUGH: usize = 16 << 20;

/// Calls itself until four million bytes of stack are used.
fn deep(n: u64) -> u64 {
    fn down(calls: u64) -> u64 {
        let frame = black_box([1_u8; 1000]);
        if calls == 0 { 0 } else { down(calls - 1) + u64::from(black_box(frame)[7]) }
    }
    down(4000) + n
}

pub fn tests() -> Vec<Test> {
    vec![
        ("threads::a_deep_recursion", Expect::Pass, || {
            for split in [Split::Queue, Split::CeilChunks, Split::BalancedChunks] {
                let threads = Threads::with_split(workers(2), split).with_stack_size(ENOUGH);
                recurse(&threads);
                assert_eq!(threads.map_closure(|&n| deep(n), &[1, 2]), [4001, 4002]);
            }
        }),
        ("thread-pool::a_deep_recursion", Expect::Pass, || {
            recurse(&ThreadPool::with_stack_size(workers(2), ENOUGH));
        }),
        ("rayon::a_deep_recursion", Expect::Pass, || {
            let any = NonZeroUsize::MAX;
            recurse(&WorkStealing::with_stack_size(workers(2), any, ENOUGH).unwrap());
        }),
        // Without the option these die, so the recursion is as deep as it has to be.
        ("threads::a_deep_recursion::usual_stack", Expect::Fail, || {
            recurse(&Threads::new(workers(2)));
        }),
        ("thread-pool::a_deep_recursion::usual_stack", Expect::Fail, || {
            recurse(&ThreadPool::new(workers(2)));
        }),
        ("rayon::a_deep_recursion::usual_stack", Expect::Fail, || {
            recurse(&WorkStealing::new(workers(2)).unwrap());
        }),
    ]
}

fn recurse(executor: &impl Executor) {
    assert_eq!(executor.map(deep, vec![1, 2, 3]).unwrap(), [4001, 4002, 4003]);
}
