//! Room for large frames.

use nix::sys::mman::{MmapAdvise, madvise};
use std::ptr::NonNull;

/// From how many bytes on it is worth a system call: two large pages of most machines, so that
/// wherever the room begins, a whole one fits into it.
const LARGE: usize = 4 << 20;

/// More than any machine's small page, and a multiple of it: advice has to begin with a page.
const PAGE: usize = 64 << 10;

/// Makes room for this many more bytes, and asks for large pages if that is much.
///
/// The kernel gives memory page by page, each when it is first touched, and for a large frame that
/// costs more than all copying. Where this was written, 64 MiB took 40 ms to write down in 16,384
/// small pages, and 8 in 32 large ones. Where the kernel has none to give, nothing is lost.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) {
    if buffer.capacity() - buffer.len() >= more {
        return;
    }
    buffer.reserve(more);
    let room = buffer.spare_capacity_mut();
    let skipped = room.as_ptr().align_offset(PAGE);
    let Some(room) = room.get_mut(skipped..).filter(|room| room.len() >= LARGE) else { return };
    let (start, length) = (NonNull::from(&mut *room).cast(), room.len());
    // SAFETY: the range lies in the vector's own memory. Its last page may hold somebody else's
    // bytes too, and that is no matter: this advice changes no content and takes nothing away.
    let _ = unsafe { madvise(start, length, MmapAdvise::MADV_HUGEPAGE) };
}
