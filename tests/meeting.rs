//! The rendezvous: is more than one item in progress at once?
//!
//! A clock cannot show it, and a speed-up depends on what else the machine does. A meeting can: an
//! item's task makes a file on arrival and waits until as many are there as are wanted. It waits
//! for the others without doing anything, so it meets them on one core as well: what is shown is
//! that the items are in progress at once, and not that they run at the same instant.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait where the others must come. Ending early is what always happens; the rest is
/// for a machine that is very busy.
pub const WHERE_THEY_MUST_MEET: Duration = Duration::from_secs(30);

/// How long to wait where nobody can come: long enough that somebody would have.
pub const WHERE_THEY_MUST_NOT: Duration = Duration::from_millis(300);

/// One item that meets others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guest {
    /// The place: a folder that no other meeting uses.
    folder: PathBuf,
    /// Which item, counted from 0.
    item: usize,
    /// How many have to be there at once.
    wanted: usize,
    /// How long the item waits for the others.
    patience: Duration,
}

/// So many guests as are wanted, for one meeting in this folder.
pub fn guests(folder: &Path, wanted: usize, patience: Duration) -> Vec<Guest> {
    (0..wanted).map(|item| Guest { folder: folder.to_owned(), item, wanted, patience }).collect()
}

/// Waits for the others: true if all that are wanted were in progress at once.
///
/// # Panics
/// If the folder cannot be used.
pub fn meet(guest: Guest) -> bool {
    let mine = guest.folder.join(format!("in-{}", guest.item));
    let met = guest.folder.join("met");
    File::create(&mine).expect("a guest signs in");
    let arrival = Instant::now();
    loop {
        if met.exists() {
            return true;
        }
        if all_are_in(&guest) {
            File::create(&met).expect("the meeting is noted");
            return true;
        }
        if arrival.elapsed() > guest.patience {
            fs::remove_file(&mine).expect("a guest signs out");
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Are all that are wanted here at this moment?
///
/// A folder is not read in one moment: one guest may leave and another arrive while it is read,
/// and both would be counted. So it is read twice. Nobody signs in twice, so a guest that is in both
/// lists was there all the time between the two.
fn all_are_in(guest: &Guest) -> bool {
    let first = signed_in(&guest.folder);
    first.len() >= guest.wanted
        && first.intersection(&signed_in(&guest.folder)).count() >= guest.wanted
}

fn signed_in(folder: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    entries
        .map(|entry| entry.expect("the folder can be read").file_name())
        .filter(|name| name.as_encoded_bytes().starts_with(b"in-"))
        .collect()
}
