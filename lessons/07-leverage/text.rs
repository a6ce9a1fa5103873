//! The maps as text.

use crate::sweep::{Accuracy, Cell, Payload, ROWS, StageMap, Sweep};
use report::{bytes, time};

/// What each kernel takes and gives, a line each.
pub(crate) fn kernels() -> Vec<String> {
    let sizes = |kernel: &str| -> Vec<Payload> {
        ROWS.into_iter().filter(|row| row.kernel == kernel).collect()
    };
    let there = |rows: &[Payload]| -> String {
        rows.iter().map(|row| bytes(row.there as f64)).collect::<Vec<_>>().join(" or ")
    };
    let (gcd, checksum, transform) = (sizes("gcd"), sizes("checksum"), sizes("transform"));
    vec![
        format!("gcd        takes {}, gives {}", there(&gcd), bytes(gcd[0].back as f64)),
        format!("checksum   takes {}, gives a number", there(&checksum)),
        format!("transform  takes {}, and gives them back", there(&transform)),
    ]
}

/// The sign of a cell.
pub(crate) fn sign(cell: Cell) -> char {
    match cell.speedup {
        s if s > 1.1 => '#',
        s if s < 1.0 / 1.1 => '.',
        _ => '=',
    }
}

/// A speed-up in four characters.
pub(crate) fn short(speedup: f64) -> String {
    match speedup {
        s if s < 9.995 => format!("{s:.2}"),
        s if s < 99.95 => format!("{s:.1}"),
        s => format!("{s:.0}"),
    }
}

/// A time that was chosen and not measured: `20 µs`, `2.5 ms`.
pub(crate) fn chosen(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else {
        format!("{} ms", (seconds * 1e4).round() / 10.0)
    }
}

/// The lines of a stage's map: a row for each payload, a column for each length of computing.
pub(crate) fn lines(sweep: &Sweep, map: &StageMap) -> Vec<String> {
    let mut head = format!("  {:<8}", "bytes");
    for &column in &sweep.columns {
        head.push_str(&format!(" {:<11}", chosen(column)));
    }
    head.push_str(&format!("{:>10}", "even at"));
    let mut lines = vec![head];
    for (row, payload) in ROWS.iter().enumerate() {
        let even = sweep.predicted_break_even(map, row);
        let items = report::ITEMS.get() as f64;
        // The first column from which on the model says that the stage wins.
        let first =
            even.and_then(|even| sweep.alone[row].iter().position(|alone| alone / items >= even));
        let mut line = format!("  {:<8}", payload.name());
        for (column, &cell) in map.cells[row].iter().enumerate() {
            let bar = if first == Some(column) { '|' } else { ' ' };
            let (measured, predicted) = (short(cell.speedup), short(cell.predicted));
            line.push_str(&format!("{bar}{}{measured:>4}/{predicted:<4} ", sign(cell)));
        }
        line.push_str(&format!("{:>10}", even.map_or("never".to_owned(), time)));
        lines.push(line);
    }
    lines
}

/// How well the model did, in words.
pub(crate) fn accuracy(sweep: &Sweep) -> String {
    let Accuracy { away, right, near, cells, named } = sweep.accuracy();
    format!(
        "against the loop, away from the line: {right} of {away} contests right,\n\
         {near} of {away} contests within a fifth of the speed-up\n\
         it names the fastest stage in {named} of {cells} cells"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::sample;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.004, 1.967, 12.34, 512.0].map(short), ["0.00", "1.97", "12.3", "512"]);
        assert_eq!([20e-6, 5e-4, 2.5e-3, 1e-2].map(chosen), ["20 µs", "500 µs", "2.5 ms", "10 ms"]);
    }

    #[test]
    fn a_map_shows_both_numbers_and_the_line() {
        let sweep = sample(&[(0.5, 0.6), (1.05, 1.1), (1.97, 1.95), (1.9, 2.0), (1.0, 2.0)]);
        let lines = lines(&sweep, &sweep.maps[0]);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert_eq!(
            lines[..2],
            [
                "  bytes    20 µs       100 µs      500 µs      2.5 ms      12.5 ms       even at",
                "  24 B    |.0.50/0.60  =1.05/1.10  #1.97/1.95  #1.90/2.00  =1.00/2.00    10.0 µs",
            ]
        );
        // 16 MiB at a nanosecond each: the line is beyond the last column.
        assert!(lines[5].starts_with("  16 MiB   .0.50/0.60  =1.05/1.10 "), "{}", lines[5]);
        assert!(lines[5].ends_with("16.8 ms"), "{}", lines[5]);
    }
}
