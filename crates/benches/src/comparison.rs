//! Our figure, another figure, and how far apart the two may be: the rows of a bench, as a table
//! and as JSON.

use report::{ratio, time};
use serde_json::{Value, json as value};

/// What a measurement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time, in seconds.
    Seconds,
    /// Memory, in bytes.
    Bytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "bytes",
        }
    }

    fn write(self, number: f64) -> String {
        match self {
            Self::Seconds => time(number),
            Self::Bytes => format!("{:.2} MiB", number / f64::from(1 << 20)),
        }
    }
}

/// The condition that has to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// Our figure is at most this many times the other. The ratio is ours to the other.
    AtMost(f64),
    /// The other figure is at least this many times ours. The ratio is the other to ours.
    TimesLess(f64),
    /// Our figure is less than this, in the row's unit. There is no other figure and no ratio.
    Under(f64),
    /// No condition: the row is only there to be read. The ratio is ours to the other.
    None,
}

/// One row: our figure, the figure that it is compared with, and the bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The name of the measurement and of the comparison.
    pub measured: String,
    /// The unit of both figures.
    pub unit: Unit,
    /// Our figure. `None` if it could not be measured.
    pub ours: Option<f64>,
    /// The other figure. `None` if it could not be measured, or if the row has none.
    pub other: Option<f64>,
    /// The condition that has to hold.
    pub bar: Bar,
}

impl Comparison {
    /// The ratio of the two figures, in the bar's direction. `None` unless both are measured.
    pub fn ratio(&self) -> Option<f64> {
        let (ours, other) = (self.ours?, self.other?);
        match self.bar {
            Bar::AtMost(_) | Bar::None => Some(ours / other),
            Bar::TimesLess(_) => Some(other / ours),
            Bar::Under(_) => None,
        }
    }

    /// Whether the bar holds. `None` if there is no bar, or if a figure was not measured.
    pub fn holds(&self) -> Option<bool> {
        match self.bar {
            Bar::AtMost(most) => self.ratio().map(|ratio| ratio <= most),
            Bar::TimesLess(least) => self.ratio().map(|ratio| ratio >= least),
            Bar::Under(limit) => self.ours.map(|ours| ours < limit),
            Bar::None => None,
        }
    }

    /// Whether there is a bar that does not hold, or of which nobody knows.
    fn misses(&self) -> bool {
        self.bar != Bar::None && self.holds() != Some(true)
    }

    /// The bar as a condition on the ratio, or, if there is no ratio, on our figure: `<= 1.5`.
    fn condition(&self) -> Option<String> {
        match self.bar {
            Bar::AtMost(most) => Some(format!("<= {most}")),
            Bar::TimesLess(least) => Some(format!(">= {least}")),
            Bar::Under(limit) => Some(format!("< {limit} {}", self.unit.name())),
            Bar::None => None,
        }
    }
}

/// Whether every bar holds. A bar whose figures were not measured is not known to hold.
pub fn all_hold(rows: &[Comparison]) -> bool {
    !rows.iter().any(Comparison::misses)
}

/// The rows as an array of `{measured, ours, other, unit, ratio, bar, holds}`; `null` for a figure
/// that is not measured or not there.
pub fn json(rows: &[Comparison]) -> Value {
    let row = |row: &Comparison| {
        value!({
            "measured": row.measured,
            "ours": row.ours,
            "other": row.other,
            "unit": row.unit.name(),
            "ratio": row.ratio(),
            "bar": row.condition(),
            "holds": row.holds(),
        })
    };
    rows.iter().map(row).collect()
}

/// The rows as a table for a person, a line each and the head above them; `-` for a figure that is
/// not measured or not there.
pub fn table(rows: &[Comparison]) -> String {
    let mut cells =
        vec![["measured", "ours", "other", "ratio", "bar", "holds"].map(ToOwned::to_owned)];
    for row in rows {
        let number = |number: Option<f64>| number.map(|number| row.unit.write(number));
        let bar = match row.bar {
            Bar::Under(limit) => Some(format!("< {}", row.unit.write(limit))),
            _ => row.condition(),
        };
        let holds = row.holds().map(|holds| if holds { "yes" } else { "no" }.to_owned());
        let rest = [number(row.ours), number(row.other), row.ratio().map(ratio), bar, holds];
        let [ours, other, ratio, bar, holds] =
            rest.map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
        cells.push([row.measured.clone(), ours, other, ratio, bar, holds]);
    }
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for row in &cells {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Align words to the left and numbers to the right.
            let gap = " ".repeat(width - cell.chars().count());
            text += &if column == 0 { format!("{cell}{gap}") } else { format!("  {gap}{cell}") };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(unit: Unit, ours: Option<f64>, other: Option<f64>, bar: Bar) -> Comparison {
        Comparison { measured: format!("{bar:?}"), unit, ours, other, bar }
    }

    fn rows() -> Vec<Comparison> {
        vec![
            row(Unit::Seconds, Some(15e-6), Some(10e-6), Bar::AtMost(1.5)),
            row(Unit::Seconds, Some(15e-6), Some(280e-6), Bar::TimesLess(20.0)),
            row(Unit::Seconds, Some(15e-6), None, Bar::TimesLess(20.0)),
            row(Unit::Bytes, Some(4_404_019.2), Some(4_194_304.0), Bar::AtMost(1.1)),
            row(Unit::Seconds, Some(0.0012), None, Bar::Under(0.003)),
            row(Unit::Seconds, Some(0.003), None, Bar::Under(0.003)),
            row(Unit::Seconds, Some(0.002), Some(0.001), Bar::None),
        ]
    }

    #[test]
    fn a_bar_holds_or_does_not_or_nobody_knows() {
        let holds: Vec<_> = rows().iter().map(Comparison::holds).collect();
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(holds, [yes, no, None, yes, yes, no, None]);
    }

    #[test]
    fn all_bars_hold_if_none_is_missed_and_none_is_unknown() {
        let [held, missed, unknown, _, under, over, no_bar] = &rows()[..] else { panic!("seven") };
        let all = |rows: &[&Comparison]| {
            all_hold(&rows.iter().map(|&row| row.clone()).collect::<Vec<_>>())
        };
        assert!(all(&[held, under, no_bar]) && all(&[no_bar]) && all(&[]));
        for wrong in [missed, unknown, over] {
            assert!(!all(&[held, wrong]) && !all(&[wrong, held]), "{wrong:?}");
        }
    }

    #[test]
    fn the_table_lines_up_and_says_what_is_not_there() {
        let expected = "\
measured             ours     other  ratio        bar  holds
AtMost(1.5)       15.0 µs   10.0 µs   1.50     <= 1.5    yes
TimesLess(20.0)   15.0 µs    280 µs   18.7      >= 20     no
TimesLess(20.0)   15.0 µs         -      -      >= 20      -
AtMost(1.1)      4.20 MiB  4.00 MiB   1.05     <= 1.1    yes
Under(0.003)      1.20 ms         -      -  < 3.00 ms    yes
Under(0.003)      3.00 ms         -      -  < 3.00 ms     no
None              2.00 ms   1.00 ms   2.00          -      -
";
        assert_eq!(table(&rows()), expected);
        assert_eq!(table(&[]), "measured  ours  other  ratio  bar  holds\n");
    }

    #[test]
    fn the_json_has_the_figures_behind_each_bar() {
        let [missed, unknown, limit] = [1, 2, 4].map(|at| json(&rows())[at].clone());
        assert_eq!(missed["ours"], 15e-6);
        assert_eq!(missed["bar"], ">= 20");
        assert_eq!(missed["holds"], false);
        let expected = value!({"measured": "TimesLess(20.0)", "ours": 15e-6, "other": null,
            "unit": "s", "ratio": null, "bar": ">= 20", "holds": null});
        assert_eq!(unknown, expected);
        assert_eq!(limit["bar"], "< 0.003 s");
        assert_eq!(limit["ratio"], Value::Null);
        assert_eq!(json(&rows()[3..4])[0]["unit"], "bytes");
    }
}
