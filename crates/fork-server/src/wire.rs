//! Bytes and descriptors through a socket: the two system calls under everything else.

use libc::{SCM_RIGHTS, SOL_SOCKET, cmsghdr};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// How many descriptors may travel with one frame. The kernel's own limit is 253.
pub const MAX_DESCRIPTORS: usize = 16;

/// The first number that is no standard descriptor's.
pub const STANDARD: RawFd = 3;

/// A pair of connected sockets. Both sockets are close-on-exec: if a program that a task starts
/// kept a worker's socket open, the pool would not see the worker's death.
pub fn pair(kind: SockType) -> nix::Result<(OwnedFd, OwnedFd)> {
    let (one, other) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)?;
    Ok((above_standard(one)?, above_standard(other)?))
}

/// The same descriptor, under a number that is no standard descriptor's.
///
/// If a program has closed its standard output, for example, the next descriptor that it opens gets
/// that number, and the next `println!` writes there.
pub fn above_standard(descriptor: OwnedFd) -> nix::Result<OwnedFd> {
    if descriptor.as_raw_fd() >= STANDARD {
        return Ok(descriptor);
    }
    let higher = fcntl(&descriptor, FcntlArg::F_DUPFD_CLOEXEC(STANDARD))?;
    // SAFETY: the kernel has just opened this number for this call.
    Ok(unsafe { OwnedFd::from_raw_fd(higher) })
}

/// Sends as many of the bytes as the socket takes, in one system call, and the descriptors with the
/// first byte.
///
/// A peer that is gone is an error (`EPIPE`) and not a signal, whatever the program does about
/// `SIGPIPE`.
pub fn send(
    socket: impl AsFd,
    parts: &[IoSlice<'_>],
    descriptors: &[OwnedFd],
    flags: MsgFlags,
) -> nix::Result<usize> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &[] } else { &rights[..] };
    let flags = flags | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(socket.as_fd().as_raw_fd(), parts, control, flags, None)
}

/// Receives the bytes that are there, in one system call, into `buffer`, and returns how many
/// bytes; zero is the end. Descriptors that come with the bytes are added to `descriptors`.
pub fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    descriptors: &mut impl Extend<OwnedFd>,
    flags: MsgFlags,
) -> nix::Result<usize> {
    // Room for the descriptors of one message: the kernel never puts the descriptors of two
    // messages into one call. The room begins with a header, which has to be aligned.
    const ROOM: usize = size_of::<cmsghdr>() + MAX_DESCRIPTORS * size_of::<RawFd>();
    #[repr(align(8))]
    struct Aligned([u8; ROOM]);
    let mut control = Aligned([0; ROOM]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
    let socket = socket.as_fd().as_raw_fd();
    let bytes = recvmsg::<()>(socket, &mut parts, Some(&mut control.0), flags)?.bytes;
    // Do not use nix here: if one descriptor was lost, nix gives none of them, and the others would
    // stay open for ever. (A descriptor is lost if this process may open no more, or if more came
    // than a frame may have.) The frame that lost a descriptor is refused where it is decoded.
    // SAFETY: there is room for a header and more, and any bytes are a valid header: zeros if none
    // has come.
    let header = unsafe { control.0.as_ptr().cast::<cmsghdr>().read() };
    #[allow(clippy::unnecessary_cast, reason = "it has 32 bits where the C library is musl")]
    let end = header.cmsg_len as usize;
    // A socket may be set to let other things through (credentials, say): those are no descriptors.
    let is_rights = header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS;
    let end = if is_rights { end } else { 0 };
    let numbers = control.0.get(size_of::<cmsghdr>()..end).unwrap_or_default();
    for &number in numbers.as_chunks().0 {
        let number = RawFd::from_ne_bytes(number);
        // SAFETY: the kernel has opened this descriptor for this call, and no other code knows its
        // number: the header says that these are descriptors.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        // If no number is left, the descriptor is lost, and its frame is refused.
        descriptors.extend(above_standard(descriptor).ok());
    }
    Ok(bytes)
}

/// What `poll` is to look for: something to read, and, if `writing`, room to write.
pub fn watch(socket: &impl AsFd, writing: bool) -> PollFd<'_> {
    let mut events = PollFlags::POLLIN;
    events.set(PollFlags::POLLOUT, writing);
    PollFd::new(socket.as_fd(), events)
}

/// Repeats a call that a signal interrupted. The pool handles no signals.
pub fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
