//! A progress bar for what takes longer than two seconds.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// How much is done, on standard error if that is a terminal, and only once two seconds have passed.
///
/// It draws when something is done and at no other time: a bar that ticks by itself has a thread,
/// and where there is a thread nothing may be forked.
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar for so many of these: runs.
    pub fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, done: 0, begun: Instant::now(), bar: None }
    }

    /// One more is done.
    pub fn one_done(&mut self) {
        self.done += 1;
        let late = self.begun.elapsed() > Duration::from_secs(2);
        if self.bar.is_none() && late && self.done < self.total && stderr().is_terminal() {
            let style =
                ProgressStyle::with_template("  {msg} {pos} of {len} [{bar:40}] {eta} left");
            let bar = ProgressBar::new(self.total as u64);
            let bar = bar.with_style(style.expect("the template is a constant"));
            self.bar = Some(bar.with_message(self.what));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
