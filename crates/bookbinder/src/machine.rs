//! The machine that a record was taken on, as the record tells it.

use ::machine::{Facts, said};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// What a reader has to know to weigh the numbers, but for the rounds, which each record has.
///
/// # Errors
/// If git or rustc cannot be asked, or the number of cores is not known.
pub fn describe(root: &Path) -> Result<Value> {
    let facts = Facts::gather();
    Ok(json!({
        "cpu": facts.cpu.as_deref().unwrap_or("unknown"),
        "cores": facts.cores.context("the number of cores")?,
        "limits": facts.limits(),
        // The kernel; which distribution it was does not change a number.
        "system": facts.system.split(',').next(),
        "toolchain": ask(root, "rustc", &["--version"])?,
        "commit": commit(root)?,
        "date": date(SystemTime::now()),
    }))
}

/// The commit, and whether anything but the records has changed since.
fn commit(root: &Path) -> Result<String> {
    let commit = ask(root, "git", &["rev-parse", "--short", "HEAD"])?;
    let code = ["crates", "lessons", "Cargo.toml", "Cargo.lock", ".cargo"];
    let changes = ask(root, "git", &[&["status", "--porcelain", "--"], &code[..]].concat())?;
    Ok(if changes.is_empty() { commit } else { format!("{commit} with changes") })
}

fn ask(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let text = said(Command::new(program).args(arguments).current_dir(root));
    let text = text.with_context(|| format!("cannot run {program}"))?;
    let text = text.with_context(|| format!("{program} {} failed", arguments.join(" ")))?;
    Ok(text.trim().to_owned())
}

/// The date in UTC: `2026-11-22`.
fn date(time: SystemTime) -> String {
    // `Sun, 22 Nov 2026 00:00:00 GMT`
    let date = httpdate::fmt_http_date(time);
    let (day, month, year) = (&date[5..7], &date[8..11], &date[12..16]);
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(month).map_or(0, |place| place / 3 + 1);
    format!("{year}-{month:02}-{day}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn dates_are_right() {
        let dates = [0, 951_782_400, 951_868_800, 1_795_305_600, 4_102_444_799]
            .map(|seconds| date(UNIX_EPOCH + Duration::from_secs(seconds)));
        assert_eq!(dates, ["1970-01-01", "2000-02-29", "2000-03-01", "2026-11-22", "2099-12-31"]);
    }

    #[test]
    fn a_record_names_its_machine() {
        let machine = describe(crate::House::here().root()).unwrap();
        for key in ["cpu", "limits", "system", "toolchain", "commit", "date"] {
            assert!(machine[key].as_str().is_some_and(|text| !text.is_empty()), "{machine}");
        }
    }
}
