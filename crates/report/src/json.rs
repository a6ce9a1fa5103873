//! The document behind `--json`.

use crate::ItemSpan;
use crate::measure::Measured;
use kernel::{Pair, steps};
use schedule::{Policy, bound, makespan};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// Everything about one run. Times are in seconds, costs and makespans in steps, items and workers
/// counted from 0.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    /// The lesson's number.
    pub(crate) lesson: u32,
    /// The function that ran.
    pub(crate) kernel: &'a str,
    /// How many workers it was given.
    pub(crate) workers: usize,
    /// How many items there were.
    pub(crate) items: usize,
    pub(crate) prediction: PredictionDocument,
    /// The rows of the tables.
    pub(crate) stages: Vec<RowDocument<'a>>,
    /// What the lesson measured beside its tables, by name; times in seconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) figures: &'a BTreeMap<String, f64>,
    /// The answers, in the order of the items.
    pub(crate) answers: &'a [u64],
    /// What a lesson has to say beside all that.
    #[serde(flatten)]
    pub(crate) facts: &'a BTreeMap<&'static str, Value>,
}

/// What was known before anything ran.
#[derive(Debug, Serialize)]
pub(crate) struct PredictionDocument {
    /// The steps of all items.
    steps: u64,
    /// The steps of the longest item.
    longest: u64,
    /// The speed-up that no schedule can beat.
    bound: f64,
    /// When the last worker is done, in steps, by policy.
    makespan: BTreeMap<&'static str, u64>,
}

impl PredictionDocument {
    pub(crate) fn new(pairs: &[Pair], workers: NonZeroUsize) -> Self {
        let costs: Vec<u64> = pairs.iter().map(|&pair| steps(pair)).collect();
        Self {
            steps: costs.iter().sum(),
            longest: costs.iter().copied().max().unwrap_or(0),
            bound: bound(&costs, workers),
            makespan: Policy::ALL.map(|p| (p.key(), makespan(p, &costs, workers))).into(),
        }
    }
}

/// One row of a table.
#[derive(Debug, Serialize)]
pub(crate) struct RowDocument<'a> {
    name: &'a str,
    /// The policy that it follows, if it follows one.
    policy: Option<&'static str>,
    /// The median.
    seconds: f64,
    /// The 25th percentile, in seconds.
    low: f64,
    /// The 75th percentile, in seconds.
    high: f64,
    /// Against the serial stage of the same run.
    speedup: f64,
    predicted_speedup: Option<f64>,
    /// From nothing to the first answers, in seconds, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<f64>,
    spans: &'a [ItemSpan],
}

impl<'a> From<&'a Measured> for RowDocument<'a> {
    fn from(measured: &'a Measured) -> Self {
        Self {
            name: &measured.name,
            policy: measured.policy.map(Policy::key),
            seconds: measured.time.median,
            low: measured.time.low,
            high: measured.time.high,
            speedup: measured.speedup,
            predicted_speedup: measured.predicted,
            start: measured.start,
            spans: measured.picture.as_ref().map_or(&[], |picture| &picture.places),
        }
    }
}
