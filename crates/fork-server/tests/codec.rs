//! What the codec carries, and what it refuses in words.
#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "fields are there to be written and read")]

#[path = "codec/any_bytes.rs"]
mod any_bytes;
#[path = "codec/carried.rs"]
mod carried;
#[path = "codec/read_back.rs"]
mod read_back;
#[path = "codec/refused.rs"]
mod refused;

use fork_server::codec::{caught, read, read_message, write};
use kernel::Message;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Mutex, MutexGuard};

const LIMIT: usize = 1 << 20;

/// Writes and reads a value.
fn trip<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, String> {
    read(&write(value, Vec::new(), LIMIT)?)
}

/// The words with which the trip fails.
fn refusal<T: Serialize + DeserializeOwned + std::fmt::Debug>(value: &T) -> String {
    trip(value).expect_err("it has to be refused")
}

/// Whether values are read back is one switch for the process: a test that turns it holds this.
fn switch() -> MutexGuard<'static, ()> {
    static SWITCH: Mutex<()> = Mutex::new(());
    SWITCH.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Writes a value, and asks whether it comes back. (What a reading that fails says is not asked.)
fn write_message<T: Message>(value: &T, buffer: Vec<u8>, limit: usize) -> Result<Vec<u8>, String> {
    let start = buffer.len();
    let bytes = write(value, buffer, limit)?;
    match caught("Deserialize", || read_message::<T>(&bytes[start..])) {
        Err(why) if why.starts_with(read_back::WORDS) => Err(why),
        _ => Ok(bytes),
    }
}
