//! The timeline in letters and signs.

use crate::format::{counted, time};
use crate::picture::{ItemSpan, Picture};
use kernel::worker_name;

/// How many signs a lane has; with its letter it is below eighty.
const WIDTH: usize = 70;
/// More lanes than this are not looked at.
const LANES: usize = 16;

/// A lane per worker and a scale below: `|` begins and ends an item, the number is the item
/// (counted from 1), `=` works, `.` idles. `seconds` is what the full width stands for, so that
/// several pictures can share a scale.
///
/// Where there are too many items to number, `=` and `.` alone say who works. Of many workers the
/// first sixteen are drawn, and a line says how many there are.
pub fn text_timeline(picture: &Picture, seconds: f64) -> Vec<String> {
    let mut lines: Vec<String> = (0..picture.workers.min(LANES))
        .map(|worker| {
            let lane = picture.lane(worker);
            let cells =
                if picture.crowded() { folded(&lane, seconds) } else { numbered(&lane, seconds) };
            let cells: String = cells.into_iter().collect();
            format!("  {}  {cells}", worker_name(worker))
        })
        .collect();
    if picture.workers > LANES {
        lines.push(format!("  …  and {} more", counted(picture.workers - LANES, "worker")));
    }
    lines.push(format!("     0{:>WIDTH$}", time(seconds)));
    lines
}

fn numbered(lane: &[ItemSpan], seconds: f64) -> Vec<char> {
    let cell = |at: f64| ((at / seconds * WIDTH as f64) as usize).min(WIDTH);
    let mut cells = vec!['.'; WIDTH + 1];
    for place in lane {
        let (start, end) = (cell(place.start), cell(place.end));
        cells[start..=end].fill('=');
        (cells[start], cells[end]) = ('|', '|');
        let number = (place.item + 1).to_string();
        if number.len() < end - start {
            for (cell, digit) in cells[start + 1..].iter_mut().zip(number.chars()) {
                *cell = digit;
            }
        }
    }
    cells
}

fn folded(lane: &[ItemSpan], seconds: f64) -> Vec<char> {
    let mut busy = vec![0.0; WIDTH + 1];
    for place in lane {
        let (start, end) =
            (place.start / seconds * WIDTH as f64, place.end / seconds * WIDTH as f64);
        for (cell, busy) in busy.iter_mut().enumerate().take(end as usize + 1).skip(start as usize)
        {
            *busy += end.min((cell + 1) as f64) - start.max(cell as f64);
        }
    }
    // The last cell is no time at all, but where the last item's closing bar would stand.
    busy.iter().take(WIDTH).map(|&busy| if busy >= 0.5 { '=' } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::sample;

    fn compact(picture: &Picture, seconds: f64) -> Vec<String> {
        let shorten =
            |line: String| line.replace(&"=".repeat(20), "-").replace(&".".repeat(20), ",");
        text_timeline(picture, seconds).into_iter().map(shorten).collect()
    }

    #[test]
    fn items_idling_and_empty_lanes() {
        let picture = sample("x", 3, &[(0, 0.0, 1.0), (1, 0.0, 0.5), (1, 0.5, 0.75)]);
        assert_eq!(
            compact(&picture, 1.0),
            [
                "  A  |1---========|",
                "  B  |2-=============|3===============|..................",
                "  C  ,,,...........",
                &format!("     0{:>70}", "1.00 s"),
            ]
        );
    }

    #[test]
    fn a_shared_scale_leaves_room_on_the_right() {
        let lines = compact(&sample("x", 1, &[(0, 0.0, 1.0)]), 2.0);
        assert_eq!(lines[0], "  A  |1-=============|,...............");
    }

    #[test]
    fn items_too_short_for_their_number_lose_it() {
        let lines =
            compact(&sample("x", 1, &[(0, 0.0, 0.001), (0, 0.001, 0.02), (0, 0.02, 1.0)]), 1.0);
        assert_eq!(lines[0], "  A  ||3---=======|");
    }

    #[test]
    fn a_thousand_items_and_sixty_four_workers_are_folded() {
        let places: Vec<_> =
            (0..1_000).map(|i| (i % 64, (i / 64) as f64, (i / 64 + 1) as f64)).collect();
        let lines = text_timeline(&sample("x", 64, &places), 16.0);
        assert_eq!(lines.len(), 18);
        assert_eq!(lines[0], format!("  A  {}", "=".repeat(70)));
        assert_eq!(lines[16], "  …  and 48 workers more");
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_call_that_took_no_time_is_drawn_all_the_same() {
        for seconds in [0.0, 1.0] {
            let lines = text_timeline(&sample("x", 1, &[(0, 0.0, 0.0)]), seconds);
            assert!(lines[0].starts_with("  A  |."), "{lines:?}");
        }
    }
}
