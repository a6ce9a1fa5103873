//! The contract: what every stage of the kit promises.

use crate::{RemotePanic, TaskError, TaskErrorKind};
use serde::{Serialize, de::DeserializeOwned};
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A value that may travel between processes: it can be serialised and deserialised, it may be sent
/// to another thread, and it borrows nothing.
///
/// You need not implement this trait by hand: every type that can do these things is a message.
///
/// The bytes are [postcard](https://docs.rs/postcard)'s, which do not describe themselves. So some
/// types that serde can derive do not travel, and each of them is refused in words:
///
/// | the type has | what happens |
/// |---|---|
/// | `skip_serializing_if`, and the field is skipped | refused when the value is written |
/// | `flatten`; a sequence or map that does not know its length | refused when the value is written |
/// | an enum with `untagged` or `tag`; `serde_json::Value` | refused when the value is read |
/// | a field that only one side skips (`skip_serializing`, `skip_deserializing`, `tag` of a struct) | refused when the value is read |
/// | a variant after a skipped one; a variant with another name for reading | refused when the value is read |
/// | `Serialize` and `Deserialize` by hand (or `with`), and they disagree | refused in debug builds, where what was read is written again (values of at most 1 MiB); a release build does so if `fork_server::codec::read_back` asks for it |
///
/// A field or variant with `skip` alone stays behind on both sides, if no variant follows the
/// skipped one: the field comes back as its default value, and a skipped variant cannot be written.
///
/// No check sees a value that *comes back wrong* by its type's own wish or mistake: a `Serialize`
/// that leaves something out (a time in whole seconds, a field with `skip`); two halves that
/// disagree in a release build, or in a value of more than 1 MiB; and, in a debug build, two halves
/// that disagree although the bytes of both writings are the same, or one that cannot be written a
/// second time. (The steps of `processes` have no check at all.)
pub trait Message: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Message for T {}

/// Runs one function over many items, and gives the answers in the order of the items.
///
/// The strictest stage sets the bounds. The task is a `fn(A) -> R` and not a closure, because what
/// a closure captures stays in the process that made it; Python finds that out when the program
/// runs, as a pickling error, and here it does not compile:
///
/// ```compile_fail,E0308
/// # use kernel::Executor;
/// fn scaled<E: Executor>(pool: &E, factor: u64) {
///     let _ = pool.map(|n: u64| n * factor, vec![1, 2, 3]);
/// }
/// ```
///
/// A closure that captures nothing is a function without a name, and is welcome:
///
/// ```
/// # use kernel::Executor;
/// fn doubled<E: Executor>(pool: &E) -> Result<Vec<u64>, kernel::TaskError> {
///     pool.map(|n: u64| n * 2, vec![1, 2, 3])
/// }
/// ```
///
/// Items are independent: an item must not wait for a later one of the same call. The executor
/// decides how many items are in progress at once, from one (a loop) to [`workers`](Self::workers).
/// Where items are tiny, the process pool sends some in advance, behind the item that runs.
pub trait Executor {
    /// One answer or one error for each item, in the order of the items: nothing is lost because
    /// another item failed.
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>>;

    /// The answers in the order of the items, or the error of the first item (in item order) that
    /// failed. Every item is run all the same: `map` does not stop early.
    ///
    /// # Errors
    /// The first item's error, if any item has one.
    fn map<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Result<Vec<R>, TaskError> {
        self.map_each(task, items).into_iter().collect()
    }

    /// How many items can be in progress at once.
    fn workers(&self) -> NonZeroUsize;
}

/// Runs the task on one item, and makes a panic into that item's error.
///
/// The stages that share the caller's memory call this function around each item, so that one bad
/// item costs one answer and neither the thread nor the other items. The panic's message is also
/// printed to standard error by the panic hook, as everywhere in Rust. The hook prints the place
/// too, but the place is not known here: to learn it, a library would have to set a hook of its
/// own, and so remove the program's hook.
///
/// # Errors
/// [`TaskErrorKind::Panicked`], for the item at `index` (counted from 0), if the task panicked.
pub fn catch_panic<A, R>(index: usize, task: fn(A) -> R, item: A) -> Result<R, TaskError> {
    // Unwind safe: the item moved into the call, and a `fn` captures nothing that could be left
    // half changed. (A task may still leave a `static` half changed; a lock around the `static` is
    // then poisoned.)
    catch_unwind(AssertUnwindSafe(|| task(item))).map_err(|payload| {
        let panic = RemotePanic::from_payload(&*payload);
        // A panic's value may panic again when it is dropped, and here nothing would catch that
        // second panic. To free the value's memory is not worth the risk.
        mem::forget(payload);
        TaskError::new(index, crate::Ran::Yes, TaskErrorKind::Panicked(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;

    /// A panic's value that panics once more when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the bomb goes off");
        }
    }

    #[test]
    fn a_panic_whose_value_panics_is_one_error_like_any_other() {
        let error = catch_panic::<(), ()>(3, |()| panic_any(Bomb), ()).unwrap_err();
        assert_eq!(error.index(), 3);
        assert_eq!(error.to_string(), "item 4: the task panicked: a panic whose value is not text");
    }
}
