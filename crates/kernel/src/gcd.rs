//! The greatest common divisor, three times: slow, slow under one lock, and fast.

use crate::Pair;
use std::sync::{Mutex, PoisonError};

/// The greatest common divisor, found by counting down from the smaller number.
///
/// A pair costs [`steps`] candidates, and a candidate costs one division and seldom two: about four
/// million candidates for the longest of the ten pairs, some milliseconds. Nothing is shared and
/// nothing is allocated, so the way of calling this function alone decides whether it uses every
/// core of the machine.
///
/// ```
/// use kernel::{Pair, gcd};
/// assert_eq!(gcd(Pair::new(12, 18)?), 6);
/// # Ok::<(), kernel::ZeroInPair>(())
/// ```
// ANCHOR: gcd
pub fn gcd(pair: Pair) -> u64 {
    let (a, b) = (pair.a(), pair.b());
    for divisor in (1..=a.min(b)).rev() {
        if a % divisor == 0 && b % divisor == 0 {
            return divisor;
        }
    }
    unreachable!("1 divides every number")
}
// ANCHOR_END: gcd

/// How many candidates [`gcd_one_lock`] tries each time it holds the lock: about a quarter of a
/// millisecond of work. A slice is short enough that two threads take turns many times an item, as
/// CPython's threads do. A slice is also long enough that the cost of taking the lock does not show
/// in a table.
const SLICE: u64 = 100_000;

/// One lock for the whole process, as CPython has its interpreter lock. A forked worker has its own
/// copy of the lock.
static ONE_LOCK: Mutex<()> = Mutex::new(());

/// [`gcd`], with every division done while holding one lock that the whole process shares.
///
/// This function stands for a program in an interpreter with a global lock: threads take turns, so
/// they gain nothing, while processes have a lock each.
// ANCHOR: gcd_one_lock
pub fn gcd_one_lock(pair: Pair) -> u64 {
    let (a, b) = (pair.a(), pair.b());
    let mut high = a.min(b);
    loop {
        let low = high.saturating_sub(SLICE - 1).max(1);
        // A task that panicked elsewhere leaves nothing half done here: the lock guards no data.
        let _turn = ONE_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        for divisor in (low..=high).rev() {
            if a % divisor == 0 && b % divisor == 0 {
                return divisor;
            }
        }
        high = low - 1; // not reached at low = 1, which divides every number
    }
}
// ANCHOR_END: gcd_one_lock

/// The greatest common divisor by Euclid's algorithm: a few dozen steps where [`gcd`] takes
/// millions. A better algorithm beats any number of cores (lesson 0).
// ANCHOR: euclid
pub fn euclid(pair: Pair) -> u64 {
    let (mut a, mut b) = (pair.a(), pair.b());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
// ANCHOR_END: euclid

/// How many candidates [`gcd`] tries for this pair: `min(a, b) - gcd + 1`.
///
/// The predictions of the kit are made from this cost. The cost is known beforehand, without
/// running anything slow, because Euclid's algorithm gives the answer.
pub fn steps(pair: Pair) -> u64 {
    pair.a().min(pair.b()) - euclid(pair) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ten_pairs;
    use num_integer::Integer;
    use proptest::prelude::*;

    fn pair(a: u64, b: u64) -> Pair {
        Pair::new(a, b).unwrap()
    }

    #[test]
    fn the_ten_pairs_and_their_steps() {
        let answers: Vec<u64> = ten_pairs().into_iter().map(gcd).collect();
        assert_eq!(answers, [1, 1, 5, 1, 32, 1, 14, 9, 1, 9]);
        let steps: Vec<u64> = ten_pairs().into_iter().map(steps).collect();
        assert_eq!(steps.iter().max(), Some(&3_823_804));
        assert_eq!(steps.iter().sum::<u64>(), 20_620_754);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        assert_eq!(gcd(pair(u64::MAX, u64::MAX)), u64::MAX);
        assert_eq!(gcd_one_lock(pair(u64::MAX, u64::MAX)), u64::MAX);
        assert_eq!(euclid(pair(u64::MAX, 1)), 1);
        assert_eq!(steps(pair(u64::MAX, u64::MAX)), 1);
    }

    #[test]
    fn a_poisoned_lock_is_no_obstacle() {
        let _ = std::thread::spawn(|| {
            let _turn = ONE_LOCK.lock();
            panic!("while holding the lock");
        })
        .join();
        assert_eq!(gcd_one_lock(pair(12, 18)), 6);
    }

    /// Numbers whose countdown crosses slices, and numbers around the slice's edge.
    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![
            1..50u64,
            1..300_000u64,
            (1..4u64, 0..5u64).prop_map(|(slices, off)| slices * SLICE + off - 2),
        ]
    }

    proptest! {
        #[test]
        fn all_gcds_agree(a in number(), b in number()) {
            let pair = pair(a, b);
            let expected = a.gcd(&b);
            prop_assert_eq!(gcd(pair), expected);
            prop_assert_eq!(gcd_one_lock(pair), expected);
            prop_assert_eq!(euclid(pair), expected);
        }

        #[test]
        fn steps_are_the_candidates_tried(a in number(), b in number()) {
            let mut tried = 0u64;
            for divisor in (1..=a.min(b)).rev() {
                tried += 1;
                if a % divisor == 0 && b % divisor == 0 {
                    break;
                }
            }
            prop_assert_eq!(steps(pair(a, b)), tried);
        }
    }
}
