//! Ctrl-C, typed into a terminal.

use crate::isolation::program;
use crate::{is_gone, until};
use nix::pty::openpty;
use nix::sys::signal::Signal;
use nix::sys::termios::tcgetattr;
use nix::unistd::setsid;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::thread;

/// Ctrl-C reaches every process of the terminal. The workers leave Ctrl-C to the program. The
/// program has no handler and dies, and the workers die with it. The terminal stays as it was.
pub fn ctrl_c_ends_all() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = openpty(None, None).unwrap();
    let mut command: Command = program(folder.path());
    let end = || terminal.slave.try_clone().unwrap();
    command.stdin(end()).stdout(end()).stderr(end());
    let take_the_terminal = || {
        setsid()?;
        // SAFETY: the number is that of this process's standard input, which is the terminal.
        match unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: the closure makes two system calls and touches no memory of this process.
    unsafe { command.pre_exec(take_the_terminal) };
    let before = tcgetattr(&terminal.slave).unwrap();
    let mut program = command.spawn().unwrap();
    let pids = ["0", "1", "server"].map(|file| {
        until(|| fs::read_to_string(folder.path().join(file)).ok()?.parse::<u32>().ok())
    });
    // The text on a terminal has to be read, or the writer waits.
    let mut screen = File::from(terminal.master.try_clone().unwrap());
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = screen.read_to_end(&mut text); // an error means that all processes have left
        String::from_utf8_lossy(&text).into_owned()
    });
    assert!(pids.iter().all(|&pid| !is_gone(pid)));
    let mut keyboard = File::from(terminal.master.try_clone().unwrap());
    keyboard.write_all(b"\x03").unwrap();
    let status = program.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGINT as i32), "{status}");
    until(|| pids.iter().all(|&pid| is_gone(pid)).then_some(()));
    assert_eq!(tcgetattr(&terminal.slave).unwrap(), before, "the terminal is as it was");
    drop(command);
    drop(terminal.slave);
    let text = reader.join().unwrap();
    assert!(text.contains("^C"), "{text:?}");
    assert!(!text.contains("panicked"), "{text:?}");
}
