//! One item's trip as a drawing: the parent's lane, the worker's lane, and the ways between them.

use crate::{STEPS, Side, Trip};
use report::{BLOCK, Drawing, RIGHT, WIDTH, escape, time};
use std::fmt::Write;

const LEFT: f64 = 76.0;
/// Heights from the top of a panel: its name, the numbers over the parent's lane, the lanes, the
/// numbers under the worker's, the scale.
const NAME: f64 = 20.0;
const UPPER: f64 = 46.0;
const PARENT: f64 = 62.0;
const WORKER: f64 = 140.0;
const LOWER: f64 = 190.0;
const SCALE: f64 = 212.0;
const PANEL: f64 = 232.0;
/// The gap between two numbers, so that both can be read.
const APART: f64 = 18.0;
const KEY_LINE: f64 = 20.0;

/// Draws trips below each other, each on a scale of its own: a block for each step of the parent
/// and of the worker, and a line for each way between them. The numbers are those of the [`STEPS`],
/// which are listed below.
///
/// The rules of [`report::svg`] hold here too.
pub fn trip_svg(id: &str, title: &str, trips: &[(&str, Trip)]) -> String {
    Drawing::make(id, |drawing| draw(drawing, title, trips))
}

fn draw(drawing: &mut Drawing, title: &str, trips: &[(&str, Trip)]) -> std::fmt::Result {
    let panels = PANEL * trips.len() as f64;
    let rows = STEPS.len().div_ceil(2);
    let height = panels + KEY_LINE * (rows as f64 + 1.0);
    drawing.begin(title, &description(trips), height)?;
    for (index, (name, trip)) in trips.iter().enumerate() {
        panel(drawing, name, trip, PANEL * index as f64)?;
    }
    for (index, step) in STEPS.iter().enumerate() {
        let x = LEFT + (WIDTH - LEFT) / 2.0 * (index / rows) as f64;
        let y = panels + KEY_LINE * ((index % rows) as f64 + 1.0);
        writeln!(drawing.text, r#"<text x="{x:.0}" y="{y:.0}">{}  {step}</text>"#, index + 1)?;
    }
    Ok(())
}

fn panel(drawing: &mut Drawing, name: &str, trip: &Trip, top: f64) -> std::fmt::Result {
    let (id, out) = (&drawing.id, &mut drawing.text);
    let total = trip.total_ns();
    let width = WIDTH - LEFT - RIGHT;
    let across =
        |ns: u64| LEFT + ns.saturating_sub(trip.at_ns[0]) as f64 / total.max(1) as f64 * width;
    let seconds = |ns: u64| time(ns as f64 / 1e9);
    writeln!(
        out,
        r#"<text class="name" x="{LEFT}" y="{:.0}">{}</text>"#,
        top + NAME,
        escape(name)
    )?;
    for (name, lane) in [("parent", PARENT), ("worker", WORKER)] {
        let y = top + lane;
        writeln!(out, r#"<text class="name" x="14" y="{:.0}">{name}</text>"#, y + 16.0)?;
        writeln!(
            out,
            r#"<path class="idle" d="M{LEFT} {:.0} H{:.0}"/>"#,
            y + BLOCK / 2.0,
            WIDTH - RIGHT
        )?;
    }
    let title =
        |step: usize| format!("{} {}: {}", step + 1, STEPS[step], seconds(trip.steps_ns()[step]));
    for step in 0..STEPS.len() {
        let (left, right) = (across(trip.at_ns[step]), across(trip.at_ns[step + 1]));
        let (lane, pattern) = match Side::OF[step] {
            Side::Parent => (PARENT, 0),
            Side::Worker => (WORKER, 1),
            Side::Between => {
                let to_worker = Side::OF[step + 1] == Side::Worker;
                let (upper, lower) = (top + PARENT + BLOCK, top + WORKER);
                let (from, to) = if to_worker { (upper, lower) } else { (lower, upper) };
                writeln!(
                    out,
                    r#"<path class="way" d="M{left:.2} {from:.0} L{right:.2} {to:.0}"><title>{}</title></path>"#,
                    title(step)
                )?;
                writeln!(
                    out,
                    r#"<text class="number" x="{:.2}" y="{:.0}">{}</text>"#,
                    (left + right) / 2.0,
                    (upper + lower) / 2.0 + 5.0,
                    step + 1
                )?;
                continue;
            }
        };
        writeln!(
            out,
            r#"<rect class="block" x="{left:.2}" y="{:.0}" width="{:.2}" height="{BLOCK}" fill="url(#{id}-{pattern})"><title>{}</title></rect>"#,
            top + lane,
            right - left,
            title(step)
        )?;
    }
    // A step of nanoseconds beside a way of microseconds is as thin as a hair: so the numbers stand
    // apart from the steps, and apart from each other.
    for (side, text, from, to) in [
        (Side::Parent, UPPER, UPPER + 3.0, PARENT),
        (Side::Worker, LOWER, LOWER - 13.0, WORKER + BLOCK),
    ] {
        let steps: Vec<usize> = (0..STEPS.len()).filter(|&step| Side::OF[step] == side).collect();
        let middle = |step: usize| (across(trip.at_ns[step]) + across(trip.at_ns[step + 1])) / 2.0;
        let middles: Vec<f64> = steps.iter().map(|&step| middle(step)).collect();
        for ((step, at), middle) in steps.iter().zip(apart(&middles)).zip(&middles) {
            let (from, to, text) = (top + from, top + to, top + text);
            writeln!(
                out,
                r#"<path class="lead" d="M{at:.2} {from:.0} L{middle:.2} {to:.0}"/><text class="number" x="{at:.2}" y="{text:.0}">{}</text>"#,
                step + 1
            )?;
        }
    }
    let y = top + SCALE;
    writeln!(out, r#"<text x="{LEFT}" y="{y:.0}">0</text>"#)?;
    writeln!(
        out,
        r#"<text class="end" x="{:.0}" y="{y:.0}">{}</text>"#,
        WIDTH - RIGHT,
        seconds(total)
    )
}

/// These places, in the same order, moved no farther than needed to be apart and inside.
fn apart(places: &[f64]) -> Vec<f64> {
    let mut apart = places.to_vec();
    // Neighbours push each other away, half the way each; a few rounds are enough for a few
    // numbers.
    for _ in 0..64 {
        for index in 1..apart.len() {
            let overlap = apart[index - 1] + APART - apart[index];
            if overlap > 0.0 {
                apart[index - 1] -= overlap / 2.0;
                apart[index] += overlap / 2.0;
            }
        }
        if let Some(first) = apart.first_mut() {
            *first = first.max(LEFT + 4.0);
        }
        if let Some(last) = apart.last_mut() {
            *last = last.min(WIDTH - RIGHT - 4.0);
        }
    }
    apart
}

/// A description of the drawing, in words.
fn description(trips: &[(&str, Trip)]) -> String {
    let describe = |(name, trip): &(&str, Trip)| {
        let seconds = |ns: u64| time(ns as f64 / 1e9);
        let steps = STEPS.iter().zip(trip.steps_ns());
        let steps: Vec<String> =
            steps.map(|(step, ns)| format!("{step} {}", seconds(ns))).collect();
        format!("{name}: {} in all; {}.", seconds(trip.total_ns()), steps.join(", "))
    };
    trips.iter().map(describe).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::trip;

    #[test]
    fn numbers_are_moved_apart_and_stay_inside() {
        let all = apart(&[LEFT, LEFT, 300.0, 301.0, 302.0, WIDTH - RIGHT, WIDTH - RIGHT]);
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] > APART - 0.5), "{all:?}");
        assert!(all[0] > LEFT && all[6] < WIDTH - RIGHT);
        assert!((all[3] - 301.0).abs() < 0.5, "those in the middle stay around it: {all:?}");
        assert_eq!(apart(&[100.0, 400.0]), [100.0, 400.0]);
        assert_eq!(apart(&[]), [] as [f64; 0]);
    }

    #[test]
    fn a_trip_is_eight_blocks_and_two_ways() {
        let steps = [40, 100, 9_000, 80, 30, 20, 60, 8_000, 90, 50];
        let trips = [("a <pair>", trip(0, 7, 100, steps)), ("nothing", trip(0, 7, 0, [0; 10]))];
        let drawing = trip_svg("x", "two", &trips);
        assert_eq!(drawing.matches("class=\"block\"").count(), 16);
        assert_eq!(drawing.matches("class=\"way\"").count(), 4);
        assert!(drawing.contains("<title>3 send: 9.00 µs</title>"));
        assert!(drawing.contains("a &lt;pair&gt;: 17.5 µs in all; take the item 40.0 ns, "));
        assert!(!drawing.contains("NaN") && !drawing.contains("inf"), "{drawing}");
        assert_eq!(drawing, trip_svg("x", "two", &trips));
    }
}
