//! The ten steps of a trip: many trips summed up, as a table and as a document.

use crate::{STEPS, Side, Trip};
use report::words::LABEL;
use report::{Summary, grouped, share, time};
use serde::Serialize;

/// Many trips of one and the same item.
#[derive(Clone, Debug)]
pub struct Trips {
    /// The name of the item: `a pair`.
    pub name: &'static str,
    /// The trips that were measured, one or more.
    pub trips: Vec<Trip>,
}

/// The summary of many trips.
#[derive(Debug)]
pub(crate) struct Steps {
    name: &'static str,
    /// The steps' times in seconds, as all times here.
    times: [Summary; STEPS.len()],
    bytes: [Option<usize>; STEPS.len()],
    /// The trip to draw: neither the fastest nor the slowest.
    middle: Trip,
}

impl Steps {
    /// # Panics
    /// If there is no trip.
    pub(crate) fn new(trips: &Trips) -> Self {
        let times = std::array::from_fn(|step| {
            let times: Vec<f64> =
                trips.trips.iter().map(|trip| trip.steps_ns()[step] as f64 / 1e9).collect();
            Summary::of(&times)
        });
        let mut by_total = trips.trips.clone();
        by_total.sort_by_key(Trip::total_ns);
        let middle = by_total[by_total.len() / 2];
        Self { name: trips.name, times, bytes: middle.step_bytes(), middle }
    }

    /// The parts for a drawing: the item's name and a trip.
    pub(crate) fn to_draw(&self) -> (&'static str, Trip) {
        (self.name, self.middle)
    }

    /// The sum of the steps' medians. (The median of the trips is near this sum, but only the sum
    /// of medians agrees with the rows above it.)
    fn seconds(&self) -> f64 {
        self.times.iter().map(|time| time.median).sum()
    }

    fn share(&self, step: usize) -> f64 {
        self.times[step].median / self.seconds().max(f64::MIN_POSITIVE)
    }
}

/// The steps of two items side by side: the items' names, the columns' heads (which stand to the
/// right of a label), a line for each step, and the steps' sum.
pub(crate) fn table(items: &[Steps]) -> Vec<String> {
    let mut names = " ".repeat(26);
    let mut heads = " ".repeat(26 - LABEL);
    let mut sums = format!("    {:<22}", "all ten");
    for item in items {
        names.push_str(&format!("{:>27}", item.name));
        heads.push_str(&format!("{:>9}{:>10}{:>8}", "median", "bytes", "share"));
        sums.push_str(&format!("{:>9}{:>10}{:>8}", time(item.seconds()), "-", share(1.0)));
    }
    let line = |(step, name): (usize, &&str)| {
        let mut line = format!("{:>3} {name:<22}", step + 1);
        for item in items {
            let bytes = item.bytes[step].map_or("-".to_owned(), |bytes| grouped(bytes as u64));
            let (time, share) = (time(item.times[step].median), share(item.share(step)));
            line.push_str(&format!("{time:>9}{bytes:>10}{share:>8}"));
        }
        line
    };
    let mut lines = vec![names, heads];
    lines.extend(STEPS.iter().enumerate().map(line));
    lines.push(sums);
    lines
}

/// All measurements, in seconds and bytes.
#[derive(Debug, Serialize)]
pub(crate) struct StepsDocument {
    /// The lesson's number.
    pub(crate) lesson: u32,
    /// How many trips each item made.
    pub(crate) rounds: usize,
    /// The time of one reading of the clock; each step contains one reading.
    pub(crate) clock: f64,
    items: Vec<ItemDocument>,
}

#[derive(Debug, Serialize)]
struct ItemDocument {
    name: &'static str,
    /// The sum of the steps' medians.
    seconds: f64,
    steps: Vec<StepDocument>,
}

#[derive(Debug, Serialize)]
struct StepDocument {
    name: &'static str,
    side: &'static str,
    /// The median.
    seconds: f64,
    /// The 25th percentile.
    low: f64,
    /// The 75th percentile.
    high: f64,
    /// The step's share of the sum.
    share: f64,
    /// The length of the frame that the step writes, sends or reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
}

impl StepsDocument {
    pub(crate) fn new(lesson: u32, rounds: usize, clock: f64, items: &[Steps]) -> Self {
        let step = |item: &Steps, step: usize| {
            let Summary { median, low, high } = item.times[step];
            StepDocument {
                name: STEPS[step],
                side: Side::OF[step].name(),
                seconds: median,
                low,
                high,
                share: item.share(step),
                bytes: item.bytes[step],
            }
        };
        let item = |item: &Steps| ItemDocument {
            name: item.name,
            seconds: item.seconds(),
            steps: (0..STEPS.len()).map(|number| step(item, number)).collect(),
        };
        Self { lesson, rounds, clock, items: items.iter().map(item).collect() }
    }
}

/// A trip whose steps take these times, in nanoseconds.
#[cfg(test)]
pub(crate) fn trip(item: usize, pid: u32, begin: u64, steps: [u64; STEPS.len()]) -> Trip {
    let mut at_ns = [begin; STEPS.len() + 1];
    for (step, time) in steps.into_iter().enumerate() {
        at_ns[step + 1] = at_ns[step] + time;
    }
    Trip { item, pid, at_ns, call_bytes: 34, answer_bytes: 1_048_611 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use one_change_tests::mask::mask;

    #[test]
    fn shares_are_of_the_sum_and_the_table_keeps_its_columns() {
        let slow = trip(0, 7, 0, [40, 100, 9_000_000, 80, 30, 20, 60, 8_000_000, 90, 999_999_999]);
        let fast = trip(0, 7, 9, [40, 100, 9_000, 80, 30, 20, 60, 8_000, 90, 50]);
        let items = [("a pair", fast), ("1 MiB, as Vec<u8>", slow)];
        let items =
            items.map(|(name, trip)| Steps::new(&Trips { name, trips: vec![trip, trip, trip] }));
        let sum: f64 = (0..STEPS.len()).map(|step| items[0].share(step)).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        let lines = table(&items);
        assert_eq!(lines.len(), 13);
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(
            widths[0] == 80 && widths[1] == 80 - LABEL && widths[2..] == [80; 11],
            "{lines:#?}"
        );
        assert_eq!(
            mask(&lines[4]),
            "  3 send                    <time>  34  <share>  <time>  34  <share>\n"
        );
    }

    #[test]
    fn the_trip_to_draw_is_the_middle_one() {
        let trips = [5, 1, 3].map(|time| trip(time as usize, 7, 0, [time; STEPS.len()]));
        let steps = Steps::new(&Trips { name: "x", trips: trips.into() });
        assert_eq!(steps.to_draw().1.item, 3);
        let document = serde_json::to_value(StepsDocument::new(4, 3, 2e-8, &[steps])).unwrap();
        assert_eq!(document["items"][0]["steps"][1]["bytes"], 34);
        assert_eq!(document["items"][0]["steps"][7]["side"], "between");
        assert_eq!(document["items"][0]["seconds"], 10.0 * 3e-9);
    }
}
