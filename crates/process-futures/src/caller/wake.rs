//! The wake: what ends the driving thread's wait, from any other thread.

use fork_server::wire::above_standard;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// An event descriptor (`eventfd(2)`): there is something to read from the time when it is rung
/// until it is cleared. It is used as a file, because a file can be made of a descriptor under any
/// number.
#[derive(Debug)]
pub struct Wake(File);

impl Wake {
    pub fn new() -> nix::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let descriptor = EventFd::from_value_and_flags(0, flags)?.into();
        Ok(Self(File::from(above_standard(descriptor)?)))
    }

    /// Returns whether it is rung. This fails only if the counter overflows.
    pub fn ring(&self) -> bool {
        (&self.0).write(&1u64.to_ne_bytes()).is_ok()
    }

    pub fn clear(&self) {
        let _ = (&self.0).read(&mut [0; size_of::<u64>()]);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
