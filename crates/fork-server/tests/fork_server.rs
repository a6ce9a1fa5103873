//! The fork server without any pool: when it may start, what it forks, what it reports.
//!
//! Each case runs in a process of its own (`one_change_tests::own_process`). The workers here have
//! loops of a few lines; each pool's own loop is tested with the pool.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the fork server needs Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    cases::main()
}

#[cfg(target_os = "linux")]
mod cases {
    use fork_server::{
        Carry, ControlChannel, ForkServer, News, StartError, TaskAddress, TaskFailure, WorkerLoop,
        wire,
    };
    use kernel::{Death, Message, Ran, TaskErrorKind};
    use nix::errno::Errno;
    use nix::sys::signal::{Signal::SIGKILL, kill};
    use nix::sys::socket::{MsgFlags, SockType};
    use nix::unistd::{Pid, getppid};
    use one_change_tests::own_process::{self, Case, Expect, Footprint};
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::ExitCode;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};
    use std::{fs, thread};

    pub fn main() -> ExitCode {
        macro_rules! cases {
            ($($name:ident)*) => {
                vec![$(Case {
                    name: stringify!($name).to_owned(),
                    expect: Expect::Pass,
                    run: Box::new($name),
                }),*]
            };
        }
        own_process::main(cases! {
            it_is_refused_beside_threads
            threads_that_were_joined_do_not_count
            it_is_started_once
            another_takes_its_place
            none_takes_its_place_beside_threads
            a_worker_starts_none
            two_loops_from_one_template
            a_loop_that_the_template_does_not_have
            a_worker_is_killed_on_request
            a_closed_channel_ends_its_workers
            a_function_that_the_template_does_not_have
            no_task_is_run_outside_of_a_worker
        })
    }

    /// A thread that lives until the sender is dropped.
    fn beside_a_thread(test: impl FnOnce()) {
        let (sender, receiver) = mpsc::channel::<()>();
        let other = thread::spawn(move || receiver.recv());
        test();
        drop(sender);
        let _ = other.join();
    }

    /// Asks for a worker, and returns this process's end of the worker's socket.
    fn spawn(channel: &ControlChannel, number: u64, entry: WorkerLoop) -> UnixStream {
        let (ours, theirs) = wire::pair(SockType::Stream).unwrap();
        channel.spawn(number, entry, theirs).unwrap();
        ours.into()
    }

    fn next_report(channel: &ControlChannel) -> (u64, News) {
        let report = channel.report(MsgFlags::empty()).unwrap().expect("the fork server lives");
        (report.worker, report.news)
    }

    /// All the text that the worker writes until it ends.
    fn text(mut socket: UnixStream) -> String {
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text
    }

    fn write(socket: OwnedFd, text: &str) {
        UnixStream::from(socket).write_all(text.as_bytes()).unwrap();
    }

    fn wait_for_the_end(socket: OwnedFd) {
        let _ = UnixStream::from(socket).read(&mut [0]);
    }

    fn it_is_refused_beside_threads() {
        beside_a_thread(|| {
            let error = ForkServer::start().unwrap_err();
            assert!(matches!(error, StartError::Threads(2)), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("2 threads") && text.contains("ForkServer::start()"), "{text}");
            assert!(text.contains("#[test]") && text.contains("In tests"), "{text}");
            assert!(!text.contains('\n'));
        });
    }

    fn threads_that_were_joined_do_not_count() {
        for _ in 0..20 {
            beside_a_thread(|| {});
            // The thread is joined, but may still be in /proc/self/task.
            ForkServer::start().unwrap();
        }
    }

    fn it_is_started_once() {
        let server = ForkServer::start().unwrap();
        assert_eq!(ForkServer::start().unwrap().pid(), server.pid());
        let footprint = Footprint::now();
        for _ in 0..2 {
            let channel = server.open_channel().unwrap();
            let socket = spawn(&channel, 0, |socket| write(socket, &getppid().to_string()));
            assert_eq!(text(socket), server.pid().to_string(), "the worker's parent");
        }
        footprint.assert_back();
    }

    fn another_takes_its_place() {
        let first = ForkServer::start().unwrap().pid();
        kill(Pid::from_raw(first as i32), SIGKILL).unwrap();
        let start = Instant::now();
        while ForkServer::start().unwrap().pid() == first {
            assert!(start.elapsed() < Duration::from_secs(60), "the first one is not missed");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(fs::metadata(format!("/proc/{first}")).is_err(), "it was reaped");
        let channel = ForkServer::start().unwrap().open_channel().unwrap();
        assert_eq!(text(spawn(&channel, 0, |socket| write(socket, "here"))), "here");
    }

    fn none_takes_its_place_beside_threads() {
        let first = ForkServer::start().unwrap();
        beside_a_thread(|| {
            kill(Pid::from_raw(first.pid() as i32), SIGKILL).unwrap();
            let start = Instant::now();
            let error = loop {
                match ForkServer::start() {
                    Err(error) => break error,
                    Ok(_) => assert!(start.elapsed() < Duration::from_secs(60), "it is not missed"),
                }
            };
            assert!(matches!(error, StartError::ServerDied(2)), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("has died") && text.contains("2 threads"), "{text}");
            assert!(!text.contains("first in main"), "it was started there: {text}");
        });
    }

    fn a_worker_starts_none() {
        let channel = ForkServer::start().unwrap().open_channel().unwrap();
        let said = |socket| write(socket, &ForkServer::start().unwrap_err().to_string());
        assert_eq!(text(spawn(&channel, 0, said)), "a worker cannot have a pool of its own");
    }

    /// Two pools, each with a loop of its own: the template runs the loop that the request names.
    fn two_loops_from_one_template() {
        let server = ForkServer::start().unwrap();
        let channels = [server.open_channel().unwrap(), server.open_channel().unwrap()];
        let first = spawn(&channels[0], 7, |socket| write(socket, "first"));
        let second = spawn(&channels[1], 7, |socket| write(socket, "second"));
        assert_eq!([text(first), text(second)], ["first", "second"]);
        for channel in &channels {
            assert!(matches!(next_report(channel), (7, News::Spawned(_))));
            let (7, News::Exited(end)) = next_report(channel) else { panic!("it has ended") };
            let (pid, why) = (end.pid as u32, None);
            assert_eq!(
                end.death(2, Some("a cause")),
                Death::Exited { worker: 2, pid, status: 0, why }
            );
        }
    }

    /// A function of the C library stands for a function of a library that was opened later:
    /// neither lies in the program itself.
    fn a_loop_that_the_template_does_not_have() {
        let channel = ForkServer::start().unwrap().open_channel().unwrap();
        let address = libc::close as *const ();
        // SAFETY: the function is never called, as the test checks.
        let foreign = unsafe { std::mem::transmute::<*const (), WorkerLoop>(address) };
        let socket = spawn(&channel, 0, foreign);
        let (0, News::Refused(errno)) = next_report(&channel) else { panic!("it was forked") };
        assert_eq!(Errno::from_raw(errno), Errno::ENOEXEC);
        assert_eq!(text(socket), "", "nobody has the other end");
    }

    fn a_worker_is_killed_on_request() {
        let channel = ForkServer::start().unwrap().open_channel().unwrap();
        let socket = spawn(&channel, 3, wait_for_the_end);
        assert!(matches!(next_report(&channel), (3, News::Spawned(_))));
        channel.kill(4).unwrap(); // no worker has this number
        channel.kill(3).unwrap();
        let (3, News::Exited(end)) = next_report(&channel) else { panic!("it was killed") };
        let (pid, name, why) =
            (end.pid as u32, "SIGKILL".to_owned(), Some("on request".to_owned()));
        let killed = Death::Killed { worker: 0, pid, signal: 9, name, why };
        assert_eq!(end.death(0, Some("on request")), killed);
        channel.kill(3).unwrap(); // worker 3 is reaped: another process may have its process id
        assert_eq!(channel.report(MsgFlags::MSG_DONTWAIT).unwrap_err(), Errno::EAGAIN);
        assert_eq!(text(socket), "");
    }

    fn a_closed_channel_ends_its_workers() {
        let server = ForkServer::start().unwrap();
        let footprint = Footprint::now();
        let [one, other] = [(); 2].map(|()| server.open_channel().unwrap());
        let (ends, stays) = (spawn(&one, 0, wait_for_the_end), spawn(&other, 0, wait_for_the_end));
        assert!(matches!(next_report(&one), (0, News::Spawned(_))));
        assert!(matches!(next_report(&other), (0, News::Spawned(_))));
        drop(one);
        assert_eq!(text(ends), "");
        assert_eq!(other.report(MsgFlags::MSG_DONTWAIT).unwrap_err(), Errno::EAGAIN);
        drop(stays);
        assert!(matches!(next_report(&other), (0, News::Exited(end)) if end.status == 0));
        drop(other);
        footprint.assert_back();
    }

    /// A pool's kind of call. Only its type is used here.
    struct Nothing;

    impl Carry for Nothing {
        fn carry<A: Message, R: Message>(
            _task: fn(A) -> R,
            argument: Vec<u8>,
            _ran: &Cell<Ran>,
        ) -> Result<Vec<u8>, TaskFailure> {
            Ok(argument)
        }
    }

    fn a_function_that_the_template_does_not_have() {
        let address = libc::getpid as *const ();
        // SAFETY: the function is never called, as the test checks.
        let foreign = unsafe { std::mem::transmute::<*const (), fn(u64) -> u64>(address) };
        let kind = TaskAddress::of::<Nothing, u64, u64>(foreign).unwrap_err();
        assert!(matches!(kind, TaskErrorKind::NotInTemplate), "{kind}");
        TaskAddress::of::<Nothing, u64, u64>(|n| n).unwrap();
    }

    fn no_task_is_run_outside_of_a_worker() {
        let address = TaskAddress::of::<Nothing, u64, u64>(|n| n).unwrap();
        let run = || address.run(Vec::new(), &Cell::new(Ran::No));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
