//! The rendezvous: is more than one item in progress at once?
//!
//! A clock cannot answer this question, and a speed-up depends on what else the machine does. A
//! meeting can answer it: an item's task makes a file on arrival, and waits until the wanted number
//! of files is there. A waiting task needs no core, so the items meet on one core as well: a
//! meeting shows that items are in progress at once, and not that they run at the same instant.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait if the other items must come. The wait normally ends early; the long limit
/// allows for a very busy machine.
pub const WHERE_THEY_MUST_MEET: Duration = Duration::from_secs(30);

/// How long to wait if no other item can come: long enough that an item would have come by then.
pub const WHERE_THEY_MUST_NOT: Duration = Duration::from_millis(300);

/// One item that meets others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guest {
    /// The place: a folder that no other meeting uses.
    folder: PathBuf,
    /// The item's index, counted from 0.
    item: usize,
    /// How many items have to be there at once.
    wanted: usize,
    /// How long the item waits for the others.
    patience: Duration,
}

/// `wanted` guests, for one meeting in this folder.
pub fn guests(folder: &Path, wanted: usize, patience: Duration) -> Vec<Guest> {
    (0..wanted).map(|item| Guest { folder: folder.to_owned(), item, wanted, patience }).collect()
}

/// Waits for the others: true if all wanted items were in progress at once.
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

/// Whether all wanted guests are here at this moment.
///
/// Reading a folder takes time: while it is read, one guest may leave and another arrive, and both
/// would be counted. So the folder is read twice. No guest signs in twice, so a guest in both lists
/// was there all the time between the two readings.
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
