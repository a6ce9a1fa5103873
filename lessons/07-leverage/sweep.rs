//! The sweep: computing against bytes, on every stage.

use crate::{ITEMS, text};
use kernel::{Executor, Message, Pair, Parcel, TaskError, checksum, digest, gcd, transform};
use report::{Probed, Progress, Summary, bytes, seconds_per_step};
use schedule::leverage::{Capacity, Job, break_even, first_near_best, speedup};
use serde::Serialize;
use serde_json::{Value, json};
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

/// One payload: a kernel, and how many bytes of an item it takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) kernel: &'static str,
    pub(crate) there: usize,
    pub(crate) back: usize,
}

impl Payload {
    /// Bytes of an item that cross, both ways together.
    pub(crate) fn crossing(self) -> u64 {
        (self.there + self.back) as u64
    }

    pub(crate) fn name(self) -> String {
        bytes(self.crossing() as f64)
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The payloads, from little to much.
pub(crate) const ROWS: [Payload; 5] = [
    Payload { kernel: "gcd", there: 16, back: 8 },
    Payload { kernel: "checksum", there: 4 * KIB, back: 0 },
    Payload { kernel: "checksum", there: 64 * KIB, back: 0 },
    Payload { kernel: "transform", there: MIB, back: MIB },
    Payload { kernel: "transform", there: 8 * MIB, back: 8 * MIB },
];

/// Maps one row's kernel over items that compute this pair, so many times, and gives a digest of
/// every answer and the seconds of one map.
pub(crate) type Runner = Box<dyn Fn(Pair, usize) -> Result<(Vec<u64>, f64), TaskError>>;

/// A runner for each row, in their order.
pub(crate) fn runners<E: Executor + 'static>(executor: E) -> Vec<Runner> {
    let shared = Rc::new(executor);
    let runner_of = |row: Payload| {
        let executor = Rc::clone(&shared);
        match row.kernel {
            "gcd" => runner(executor, gcd, |pair| pair, |&answer| answer),
            "checksum" => runner(executor, checksum, parcels(row.there), |&answer| answer),
            _ => runner(executor, transform, parcels(row.there), digest),
        }
    };
    ROWS.map(runner_of).into()
}

/// Parcels of this size. The block is made once, and copied for each item as memory is copied.
fn parcels(length: usize) -> impl Fn(Pair) -> Parcel {
    let block = Parcel::new(Pair::new(1, 1).expect("one is not zero"), length).bytes;
    move |pair| Parcel { pair, bytes: block.clone() }
}

fn runner<E: Executor + 'static, A: Message, R: Message>(
    executor: Rc<E>,
    task: fn(A) -> R,
    item: impl Fn(Pair) -> A + 'static,
    digest: fn(&R) -> u64,
) -> Runner {
    Box::new(move |pair, maps| {
        let mut digests = Vec::new();
        let mut seconds = 0.0;
        for _ in 0..maps {
            let items = (0..ITEMS.get()).map(|_| item(pair)).collect();
            let begin = Instant::now();
            let answers = executor.map(task, items)?;
            seconds += begin.elapsed().as_secs_f64();
            digests = answers.iter().map(digest).collect();
        }
        Ok((digests, seconds / maps as f64))
    })
}

/// One cell of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Seconds of the stage's map.
    pub seconds: f64,
    /// The loop's time divided by the stage's.
    pub speedup: f64,
    /// What the model says of it, from the loop's time and the stage's costs.
    pub predicted: f64,
}

impl Cell {
    /// How far from the break-even a speed-up must be, as a factor, for a cell to count as away
    /// from the line.
    const AWAY: f64 = 1.25;

    /// Is it clearly faster than the loop, or clearly slower?
    pub fn is_away(self) -> bool {
        self.speedup >= Self::AWAY || self.speedup <= 1.0 / Self::AWAY
    }

    /// Is the prediction on the same side of the line?
    pub fn is_right(self) -> bool {
        (self.speedup > 1.0) == (self.predicted > 1.0)
    }

    /// Is the prediction within a fifth of what was measured?
    pub fn is_near(self) -> bool {
        (self.predicted / self.speedup - 1.0).abs() <= 0.2
    }
}

/// One stage's map.
#[derive(Clone, Debug)]
pub(crate) struct StageMap {
    /// The stage, and what it costs.
    pub stage: Probed,
    /// By row, and in it by column.
    pub cells: Vec<Vec<Cell>>,
}

/// What became of a sweep.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    /// The seconds that an item should compute, by column.
    pub columns: Vec<f64>,
    /// The loop's seconds for a map, by row and column.
    pub alone: Vec<Vec<f64>>,
    /// The stages.
    pub maps: Vec<StageMap>,
    pub(crate) capacity: Capacity,
}

/// How well the model did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Accuracy {
    /// Contests, a stage against the loop in a cell, that were clear: 1.25 times as fast or slow.
    pub away: usize,
    /// Of these, how many the model has on the right side of the line.
    pub right: usize,
    /// Of these, how many speed-ups it predicts within a fifth.
    pub near: usize,
    /// Cells in which all contests were clear.
    pub cells: usize,
    /// Of these, in how many the stage that it names is the fastest, or within a tenth of it.
    pub named: usize,
}

/// Measures all cells, round after round: the loop and the stages side by side in each cell.
pub(crate) fn measure(
    alone: &[Runner],
    stages: Vec<(Probed, Vec<Runner>)>,
    capacity: Capacity,
    columns: &[f64],
    rounds: usize,
) -> Result<Sweep, Box<dyn Error>> {
    let per_step = seconds_per_step(gcd);
    let contenders: Vec<&[Runner]> = std::iter::once(alone)
        .chain(stages.iter().map(|(_, runners)| runners.as_slice()))
        .collect();
    // By contender, row, column: the seconds of each round.
    let mut times = vec![vec![vec![Vec::new(); columns.len()]; ROWS.len()]; contenders.len()];
    let mut progress = Progress::new("payload", rounds * ROWS.len());
    for round in 0..rounds {
        for (row, payload) in ROWS.iter().enumerate() {
            for (column, &seconds) in columns.iter().enumerate() {
                let pair = pair_of(seconds, per_step);
                let maps = maps(*payload, seconds);
                let mut expected: Option<Vec<u64>> = None;
                // Another contender goes first each time.
                for turn in 0..contenders.len() {
                    let turn_of = (turn + round) % contenders.len();
                    let (answers, seconds) = contenders[turn_of][row](pair, maps)?;
                    times[turn_of][row][column].push(seconds);
                    let expected = expected.get_or_insert_with(|| answers.clone());
                    if *expected != answers {
                        let (kernel, bytes) = (payload.kernel, payload.name());
                        return Err(format!("two stages disagree about {kernel}, {bytes}").into());
                    }
                }
            }
            progress.one_done();
        }
    }
    let median = |cells: &Vec<Vec<Vec<f64>>>| -> Vec<Vec<f64>> {
        let row = |row: &Vec<Vec<f64>>| row.iter().map(|times| Summary::of(times).median).collect();
        cells.iter().map(row).collect()
    };
    let mut medians: Vec<Vec<Vec<f64>>> = times.iter().map(median).collect();
    let alone = medians.remove(0);
    let maps = stages
        .into_iter()
        .zip(medians)
        .map(|((stage, _), own)| StageMap { stage, cells: cells(stage, capacity, &alone, &own) })
        .collect();
    Ok(Sweep { columns: columns.to_vec(), alone, maps, capacity })
}

fn cells(
    stage: Probed,
    capacity: Capacity,
    alone: &[Vec<f64>],
    own: &[Vec<f64>],
) -> Vec<Vec<Cell>> {
    let rows = ROWS.iter().zip(alone).zip(own);
    rows.map(|((row, alone), own)| {
        let cell = |(&alone, &seconds): (&f64, &f64)| {
            let item = alone / ITEMS.get() as f64;
            let job = Job { items: ITEMS, seconds: item, bytes: row.crossing() };
            let predicted = speedup(job, stage.per_call, capacity);
            Cell { seconds, speedup: alone / seconds, predicted }
        };
        alone.iter().zip(own).map(cell).collect()
    })
    .collect()
}

/// A pair whose countdown takes about so long: neighbours have no divisor but 1.
fn pair_of(seconds: f64, per_step: f64) -> Pair {
    let steps = ((seconds / per_step) as u64).max(1);
    Pair::new(steps, steps + 1).expect("not zero")
}

/// How many maps a round has in this cell: short ones are repeated, large ones are not.
fn maps(row: Payload, seconds: f64) -> usize {
    if row.there >= MIB {
        return 1;
    }
    ((4e-3 / (seconds * ITEMS.get() as f64)) as usize).clamp(1, 16)
}

impl Sweep {
    /// The break-even of a row on a stage, in seconds an item computes, by the model.
    pub fn predicted_break_even(&self, map: &StageMap, row: usize) -> Option<f64> {
        break_even(ITEMS, ROWS[row].crossing(), map.stage.per_call, self.capacity)
    }

    /// The same as measured: where the speed-up passes 1 between two columns, on a straight line
    /// between their logarithms. None if it does so nowhere, or more than once.
    pub fn measured_break_even(&self, map: &StageMap, row: usize) -> Option<f64> {
        let items = ITEMS.get() as f64;
        let points: Vec<(f64, f64)> = self.alone[row]
            .iter()
            .zip(&map.cells[row])
            .map(|(alone, cell)| ((alone / items).ln(), cell.speedup.ln()))
            .collect();
        let mut passes = points.windows(2).filter(|pair| (pair[0].1 < 0.0) != (pair[1].1 < 0.0));
        let (pass, again) = (passes.next()?, passes.next());
        let [(from, low), (to, high)] = [pass[0], pass[1]];
        (again.is_none() && low < high).then(|| (from + (to - from) * -low / (high - low)).exp())
    }

    /// How well the model did.
    pub fn accuracy(&self) -> Accuracy {
        let mut accuracy = Accuracy::default();
        for cell in self.maps.iter().flat_map(|map| map.cells.iter().flatten()) {
            if cell.is_away() {
                accuracy.away += 1;
                accuracy.right += usize::from(cell.is_right());
                accuracy.near += usize::from(cell.is_near());
            }
        }
        for (row, alone) in self.alone.iter().enumerate() {
            for (column, &alone) in alone.iter().enumerate() {
                let cells = self.maps.iter().map(|map| map.cells[row][column]);
                if !cells.clone().all(Cell::is_away) {
                    continue;
                }
                // The loop first: of what is about as fast, the simpler one.
                let loop_alone = std::iter::once(alone);
                let predicted: Vec<f64> = loop_alone
                    .clone()
                    .chain(cells.clone().map(|cell| alone / cell.predicted))
                    .collect();
                let measured: Vec<f64> = loop_alone.chain(cells.map(|cell| cell.seconds)).collect();
                let named = first_near_best(&predicted, 0.05);
                let least = measured.iter().copied().fold(f64::INFINITY, f64::min);
                accuracy.cells += 1;
                accuracy.named += usize::from(measured[named] <= least * 1.1);
            }
        }
        accuracy
    }

    /// A stage's part of the document, times in seconds.
    pub(crate) fn document(&self, map: &StageMap) -> Value {
        let costs = map.stage.measured;
        let mut rows = Vec::new();
        for (row, payload) in ROWS.iter().enumerate() {
            let cell = |(column, cell): (usize, &Cell)| {
                json!({
                    "name": text::chosen(self.columns[column]),
                    "compute": self.columns[column],
                    "alone": self.alone[row][column],
                    "seconds": cell.seconds,
                    "speedup": cell.speedup,
                    "predicted_speedup": cell.predicted,
                })
            };
            rows.push(json!({
                "name": payload.name(),
                "kernel": payload.kernel,
                "there": payload.there,
                "back": payload.back,
                "predicted_break_even": self.predicted_break_even(map, row),
                "measured_break_even": self.measured_break_even(map, row),
                "cells": map.cells[row].iter().enumerate().map(cell).collect::<Vec<_>>(),
            }));
        }
        json!({
            "name": map.stage.name,
            "start": costs.start,
            "round_trip": costs.round_trip,
            "seconds_per_byte": costs.seconds_per_byte,
            "rows": rows,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use schedule::leverage::Costs;
    use std::num::NonZeroUsize;

    /// A sweep with these speed-ups and predictions of one stage, the same in every row.
    pub(crate) fn sample(cells: &[(f64, f64)]) -> Sweep {
        let two = NonZeroUsize::new(2).unwrap();
        let stage = Probed {
            name: "processes",
            measured: Costs { start: 1e-3, round_trip: 1e-5, seconds_per_byte: 1e-9 },
            per_call: Costs { start: 0.0, round_trip: 1e-5, seconds_per_byte: 1e-9 },
        };
        let columns: Vec<f64> =
            (0..cells.len()).map(|column| 20e-6 * 5f64.powi(column as i32)).collect();
        let alone: Vec<f64> = columns.iter().map(|column| column * ITEMS.get() as f64).collect();
        let cell = |(&alone, &(speedup, predicted)): (&f64, &(f64, f64))| Cell {
            seconds: alone / speedup,
            speedup,
            predicted,
        };
        let row: Vec<Cell> = alone.iter().zip(cells).map(cell).collect();
        Sweep {
            columns,
            alone: vec![alone; ROWS.len()],
            maps: vec![StageMap { stage, cells: vec![row; ROWS.len()] }],
            capacity: Capacity { workers: two, cores: two },
        }
    }

    #[test]
    fn only_clear_contests_count_and_what_is_wrong_counts_against_the_model() {
        // Even; right and near; right and not near; wrong.
        let sweep = sample(&[(1.1, 0.5), (0.5, 0.55), (1.6, 1.1), (1.9, 0.9)]);
        let rows = ROWS.len();
        let Accuracy { away, right, near, cells, named } = sweep.accuracy();
        assert_eq!((away, right, near), (3 * rows, 2 * rows, rows));
        // The loop is named rightly in the first of the three; in the second processes are
        // predicted 1.1, and are the fastest; in the third the loop is named, and is not.
        assert_eq!((cells, named), (3 * rows, 2 * rows));
    }

    #[test]
    fn a_break_even_lies_between_the_columns_where_the_speed_up_passes_one() {
        let sweep = sample(&[(0.5, 0.5), (2.0, 2.0)]);
        let found = sweep.measured_break_even(&sweep.maps[0], 0).unwrap();
        assert!((found - 20e-6 * 5f64.sqrt()).abs() < 1e-9, "{found}");
        for none in
            [&[(1.5, 1.0), (2.0, 1.0)][..], &[(0.5, 1.0), (1.5, 1.0), (0.7, 1.0), (2.0, 1.0)]]
        {
            let sweep = sample(none);
            assert_eq!(sweep.measured_break_even(&sweep.maps[0], 0), None);
        }
    }

    #[test]
    fn the_loop_runs_every_row() {
        // No stage may be used here, so the loop is made by hand.
        struct Loop;
        impl Executor for Loop {
            fn map_each<A: Message, R: Message>(
                &self,
                task: fn(A) -> R,
                items: Vec<A>,
            ) -> Vec<Result<R, TaskError>> {
                items.into_iter().map(|item| Ok(task(item))).collect()
            }
            fn workers(&self) -> NonZeroUsize {
                NonZeroUsize::MIN
            }
        }
        for (row, runner) in ROWS.iter().zip(runners(Loop)) {
            let (answers, seconds) = runner(Pair::new(6, 7).unwrap(), 2).unwrap();
            assert_eq!(answers.len(), ITEMS.get(), "{}", row.kernel);
            assert!(answers.windows(2).all(|pair| pair[0] == pair[1]) && seconds > 0.0);
        }
    }
}
