//! The machine that a record was taken on, as the record tells it.

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::utsname::uname;
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a reader has to know to weigh the numbers, but for the rounds, which each record has.
///
/// # Errors
/// If git or rustc cannot be asked, or the system does not say what it is.
pub fn describe(root: &Path) -> Result<Value> {
    let system = uname().context("the system does not say what it is")?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is unset")?;
    Ok(json!({
        "cpu": fs::read_to_string("/proc/cpuinfo").ok().as_deref().and_then(cpu).unwrap_or("unknown"),
        "cores": thread::available_parallelism().context("the number of cores")?,
        "limits": limits(),
        "system": format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
        "toolchain": ask(root, "rustc", &["--version"])?,
        "commit": commit(root)?,
        "date": date(seconds.as_secs()),
    }))
}

/// The processor's name, from `/proc/cpuinfo`.
fn cpu(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, name)| name.trim())
}

/// What keeps this program from using all cores of the machine, or "none".
fn limits() -> String {
    let mut limits = Vec::new();
    let online = fs::read_to_string("/proc/cpuinfo")
        .map(|text| text.lines().filter(|line| line.starts_with("processor")).count());
    if let (Ok(set), Ok(online)) = (sched_getaffinity(Pid::from_raw(0)), online) {
        let mine = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).count();
        if mine < online {
            limits.push(format!("affinity: {mine} of {online} cores"));
        }
    }
    if let Ok(text) = fs::read_to_string("/sys/fs/cgroup/cpu.max") {
        limits.extend(quota(&text));
    }
    if limits.is_empty() { "none".into() } else { limits.join(", ") }
}

/// What a control group's `cpu.max` allows, unless it is everything.
fn quota(text: &str) -> Option<String> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    Some(format!("control group: {:.1} cores", quota / period))
}

/// The commit, and whether anything but the records has changed since.
fn commit(root: &Path) -> Result<String> {
    let commit = ask(root, "git", &["rev-parse", "--short", "HEAD"])?;
    let code = ["crates", "lessons", "Cargo.toml", "Cargo.lock", ".cargo"];
    let changes = ask(root, "git", &[&["status", "--porcelain", "--"], &code[..]].concat())?;
    Ok(if changes.is_empty() { commit } else { format!("{commit} with changes") })
}

fn ask(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The date of a number of seconds since 1970, in UTC. (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `civil_from_days`, for dates since 1970.)
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153; // months from March
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        let dates = [0, 951_782_400, 951_868_800, 1_795_305_600, 4_102_444_799].map(date);
        assert_eq!(dates, ["1970-01-01", "2000-02-29", "2000-03-01", "2026-11-22", "2099-12-31"]);
    }

    #[test]
    fn limits_are_told() {
        assert_eq!(quota("max 100000\n"), None);
        assert_eq!(quota("150000 100000\n").unwrap(), "control group: 1.5 cores");
        assert_eq!(cpu("processor: 0\nmodel name\t: A CPU @ 2 GHz\n"), Some("A CPU @ 2 GHz"));
    }
}
