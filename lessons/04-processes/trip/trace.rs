//! The Trace Event format, which Perfetto and chrome://tracing open.
//!
//! Google's document "Trace Event Format" describes it. Used here: complete events (`X`), with
//! times in microseconds, and the metadata (`M`) that names processes and tracks.

use crate::{STEPS, Side, Trip};
use kernel::worker_name;
use serde_json::{Value, json};
use std::process;

/// A track for each worker, on the track a slice for each item that the worker ran, and in the
/// item's slice a slice for each step.
///
/// All ten steps stand on the worker's track, also the parent's steps: one item is read from left
/// to right on one line. The items do not overlap if no item was taken for a worker before its last
/// answer was merged. `workers` are the workers' process ids, in the order of their letters; a
/// worker that ran nothing has an empty track.
pub fn trace_events(name: &str, workers: &[u32], trips: &[Trip]) -> String {
    let pid = process::id();
    let begin = trips.iter().map(|trip| trip.at_ns[0]).min().unwrap_or(0);
    // Thousandths of a microsecond are what the clock counts, so nothing is lost.
    let micros = |ns: u64| ns as f64 / 1e3;
    let metadata = |tid: u32, what: &str, args: Value| json!({"ph": "M", "pid": pid, "tid": tid, "name": what, "args": args});
    let slice = |trip: &Trip, name: &str, cat: &str, (from, to): (u64, u64), args: Value| {
        let (ts, dur) = (micros(from.saturating_sub(begin)), micros(to.saturating_sub(from)));
        let (tid, name) = (trip.pid, name);
        json!({"ph": "X", "pid": pid, "tid": tid, "ts": ts, "dur": dur, "name": name, "cat": cat,
               "args": args})
    };
    let mut events = vec![metadata(pid, "process_name", json!({"name": name}))];
    for (index, &worker) in workers.iter().enumerate() {
        let name = format!("worker {}", worker_name(index));
        events.push(metadata(worker, "thread_name", json!({"name": name})));
        events.push(metadata(worker, "thread_sort_index", json!({"sort_index": index})));
    }
    for trip in trips {
        let whole = (trip.at_ns[0], trip.at_ns[STEPS.len()]);
        let item = trip.item + 1;
        events.push(slice(trip, &format!("item {item}"), "item", whole, json!({"item": item})));
        for (step, name) in STEPS.into_iter().enumerate() {
            let mut args = json!({"item": item, "step": step + 1});
            if let Some(bytes) = trip.step_bytes()[step] {
                args["bytes"] = bytes.into();
            }
            let times = (trip.at_ns[step], trip.at_ns[step + 1]);
            events.push(slice(trip, name, Side::OF[step].name(), times, args));
        }
    }
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    // One event a line, for line-based tools.
    format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::trip;

    #[test]
    fn workers_are_tracks_and_steps_lie_in_their_item() {
        let trips = [
            trip(0, 70, 5_000_000_000_000_123, [1; STEPS.len()]),
            trip(1, 71, 5_000_000_000_000_456, [1_001; STEPS.len()]),
        ];
        let text = trace_events("a lesson", &[70, 71, 72], &trips);
        let document: Value = serde_json::from_str(&text).unwrap();
        let events = document["traceEvents"].as_array().unwrap();
        assert_eq!(text.lines().count(), 2 + events.len());
        let of = |kind: &str| events.iter().filter(|event| event["ph"] == kind).count();
        assert_eq!((of("M"), of("X")), (1 + 2 * 3, 2 * 11));
        assert_eq!(events[7]["name"], "item 1");
        assert_eq!((&events[7]["ts"], &events[7]["dur"]), (&json!(0.0), &json!(0.01)));
        let last = events.last().unwrap();
        assert_eq!((&last["name"], &last["tid"]), (&json!("merge"), &json!(71)));
        assert_eq!((&last["ts"], &last["dur"]), (&json!(9.342), &json!(1.001)));
        assert!(last["args"].get("bytes").is_none());
        assert_eq!(events[9]["args"], json!({"item": 1, "step": 2, "bytes": 34}));
    }

    #[test]
    fn no_trips_are_a_trace_too() {
        let document: Value = serde_json::from_str(&trace_events("x", &[], &[])).unwrap();
        assert_eq!(document["traceEvents"].as_array().unwrap().len(), 1);
    }
}
