//! What a worker leaves behind that cannot answer any more: the text of its panics.
//!
//! A panic that cannot unwind aborts the process: in a program built with `panic = "abort"`, in a
//! function that C calls, in a destructor during another panic. The hook sees the text of such a
//! panic, and after the hook nothing more runs. So each worker has a page of memory in common with
//! the template. The worker's hook writes there, and the template reads the page when the worker is
//! dead, prints the text, and reports it to the pool. Nothing has to be sent, so nothing can be sent
//! too late.

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

/// The page: a length, and as much text as there is room for. The fields are atomic because a
/// process that the task has forked may still write when the template reads; what is read then is
/// text all the same.
#[repr(C)]
struct Page {
    length: AtomicUsize,
    text: [AtomicU8; ROOM],
}

/// How much text is kept, in bytes. A report has to fit into one message.
pub const ROOM: usize = 2048;

/// A page that a worker and the template share.
#[derive(Debug)]
pub struct LastWords(NonNull<c_void>);

// SAFETY: the page is reached through shared references to atomics only, from any thread.
unsafe impl Send for LastWords {}
// SAFETY: as above.
unsafe impl Sync for LastWords {}

/// In a worker: its page.
static MINE: OnceLock<LastWords> = OnceLock::new();

impl LastWords {
    /// An empty page. Processes that are forked from now on have the same page, not a copy.
    pub fn new() -> nix::Result<Self> {
        let size = const { NonZeroUsize::new(size_of::<Page>()).unwrap() };
        let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: new memory at a place that the kernel chooses overlaps nothing.
        unsafe { mmap_anonymous(None, size, rights, MapFlags::MAP_SHARED) }.map(Self)
    }

    /// Makes this page the one of this process, which is a new worker.
    pub fn keep(self) {
        let _ = MINE.set(self);
    }

    fn page(&self) -> &Page {
        // SAFETY: the mapping is large enough, aligned to a page of the machine, begins as zeros
        // (an empty text), and lives as long as `self`. All its parts are atomic.
        unsafe { self.0.cast::<Page>().as_ref() }
    }

    /// The text.
    pub fn read(&self) -> String {
        let page = self.page();
        let length = page.length.load(Relaxed).min(ROOM);
        let bytes: Vec<u8> = page.text[..length].iter().map(|byte| byte.load(Relaxed)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn add(&self, text: &str) {
        let page = self.page();
        let length = page.length.load(Relaxed).min(ROOM);
        let (end, text) = (&page.text[length..], text.as_bytes());
        end.iter().zip(text).for_each(|(place, &byte)| place.store(byte, Relaxed));
        page.length.store(length + text.len().min(end.len()), Relaxed);
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no reference into it is left.
        let _ = unsafe { munmap(self.0, size_of::<Page>()) };
    }
}

/// In a worker: adds to the words, behind a separator if there are words already.
pub fn say(text: &str) {
    if let Some(mine) = MINE.get() {
        if mine.page().length.load(Relaxed) > 0 {
            mine.add("; then: ");
        }
        mine.add(text);
    }
}

/// In a worker: takes the words back, because the worker lives on.
pub fn unsay() {
    if let Some(mine) = MINE.get() {
        mine.page().length.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_words_are_cut() {
        let words = LastWords::new().unwrap();
        assert_eq!(words.read(), "");
        words.add("no luck");
        assert_eq!(words.read(), "no luck");
        words.add(&"ä".repeat(ROOM));
        assert!(words.read().starts_with("no luckää") && words.read().len() <= ROOM + 2);
        words.add("more");
        assert!(!words.read().contains("more"));
    }
}
