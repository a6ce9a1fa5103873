//! Room for large frames.

use nix::sys::mman::{MmapAdvise, madvise};
use std::ptr::NonNull;

/// From how many bytes on it is worth a system call: two large pages of most machines, so that
/// wherever the room begins, a whole one fits into it.
const LARGE: usize = 4 << 20;

/// More than any machine's small page, and a multiple of it: advice has to begin with a page.
const PAGE: usize = 64 << 10;

/// Makes room for this many more bytes, in large pages if that is much in all.
///
/// The kernel gives memory page by page, each when it is first touched, and for a large frame that
/// costs more than all copying. Where this was written, 64 MiB took 40 ms to write down in 16,384
/// small pages, and 8 in 32 large ones. Where the kernel has none to give, nothing is lost.
#[inline]
pub fn reserve(buffer: &mut Vec<u8>, more: usize) {
    // Asked for each number that is written down, and nearly always there is room.
    if buffer.capacity() - buffer.len() < more {
        grow(buffer, more);
    }
}

#[cold]
fn grow(buffer: &mut Vec<u8>, more: usize) {
    let capacity = (buffer.len() + more).max(2 * buffer.capacity());
    if capacity < LARGE {
        return buffer.reserve(more);
    }
    // A new buffer, and not the old one made longer: the advice splits the mapping in the kernel's
    // books, and what is split cannot be moved to where there is more room.
    let mut large = Vec::with_capacity(capacity);
    prefer_large_pages(&mut large);
    large.append(buffer);
    *buffer = large;
}

fn prefer_large_pages(buffer: &mut Vec<u8>) {
    let room = buffer.spare_capacity_mut();
    let Some(room) = room.get_mut(room.as_ptr().align_offset(PAGE)..) else { return };
    let (start, length) = (NonNull::from(&mut *room).cast(), room.len());
    // SAFETY: the range lies in the vector's own memory. Its last page may hold somebody else's
    // bytes too, and that is no matter: this advice changes no content and takes nothing away.
    let _ = unsafe { madvise(start, length, MmapAdvise::MADV_HUGEPAGE) };
}
