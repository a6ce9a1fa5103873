//! What travels between a pool and its workers: both sides use it.

pub mod inbox;
pub mod packet;
pub mod parts;
