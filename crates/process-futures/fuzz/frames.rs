//! Whatever bytes come from a worker, the pool does not panic and takes no more memory than came
//! (`-malloc_limit_mb`, in the justfile). The fuzzed code stands in `inside.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| process_futures::fuzzing::from_a_worker(bytes));
