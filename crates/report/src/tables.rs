//! What a run measures: tables, and figures beside them.

use crate::Run;
use crate::format::{range, share, speedup, time};
use crate::measure::{Measured, Outcome, Stopwatch, Table};
use crate::statistics::Summary;
use kernel::Pair;
use std::error::Error;
use std::time::Instant;

/// The title of the table whose rows go by their own names, and whose answers are the lesson's.
const MAIN_TABLE: &str = "Measured";

/// A row that somebody else has measured: another program, in a run of its own.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its name in the table.
    pub name: String,
    /// A line of text above it.
    pub note: Option<String>,
    /// Seconds of one round.
    pub time: Summary,
    /// The median that it is compared with, in seconds.
    pub reference: f64,
    /// What the speed-up should be.
    pub predicted: Option<f64>,
}

impl Run {
    /// A table with the pairs of this run. Fill it, then [`measure`](Self::measure) it.
    pub fn table<'a>(&self) -> Table<'a> {
        Table::new(MAIN_TABLE, self.pairs(), 1)
    }

    /// A table of its own, whose contenders map so many times over these pairs in each round.
    pub fn table_of<'a>(&self, title: &str, pairs: Vec<Pair>, maps: usize) -> Table<'a> {
        Table::new(title, pairs, maps)
    }

    /// Measures the contenders of this table and prints it. All their answers are compared, in
    /// every round.
    ///
    /// # Errors
    /// If a contender fails, or two do not agree.
    pub fn measure(&mut self, table: Table<'_>) -> Result<(), Box<dyn Error>> {
        let title = table.title.clone();
        let Outcome { rows, answers } = table.measure(self.rounds)?;
        if title == MAIN_TABLE {
            self.answers = answers;
        }
        self.print_table(&title, rows)
    }

    /// Prints a table that another program has measured. In the document its rows have the
    /// table's title behind their names, as all but the first table's have.
    pub fn given(&mut self, title: &str, rows: Vec<Given>) -> Result<(), Box<dyn Error>> {
        let measured = rows.into_iter().map(|row| Measured {
            name: row.name,
            note: row.note,
            mark: "",
            policy: None,
            predicted: row.predicted,
            time: row.time,
            speedup: row.reference / row.time.median,
            start: None,
            picture: None,
        });
        self.print_table(title, measured.collect())
    }

    fn print_table(
        &mut self,
        title: &str,
        mut measured: Vec<Measured>,
    ) -> Result<(), Box<dyn Error>> {
        let starts = measured.iter().any(|row| row.start.is_some());
        let last = if starts { "     start" } else { "" };
        self.session.screen.labelled(
            &format!("{title:<24}"),
            &format!(
                "{:>8}{:>13}{:>9}{:>10}{last}",
                "median", "middle half", "speed-up", "predicted"
            ),
        )?;
        for row in &measured {
            if let Some(note) = &row.note {
                self.session.screen.line(format_args!("  {note}"))?;
            }
            let Summary { median, low, high } = row.time;
            let mut line = format!(
                "  {:<22}{:>9}{:>13}{:>9}{:>10}",
                row.name,
                time(median),
                range(low, high, median),
                speedup(row.speedup),
                row.predicted.map_or("-".to_owned(), speedup),
            );
            if starts {
                let start = row.start.map_or("-".to_owned(), time);
                line.push_str(&format!("{start:>10}"));
            }
            if row.mark.is_empty() {
                self.session.screen.line(line)?;
            } else {
                self.session.screen.marked(&format!("{line}  "), row.mark)?;
            }
        }
        if title != MAIN_TABLE {
            for row in &mut measured {
                row.name = format!("{}, {title}", row.name);
            }
        }
        self.rows.extend(measured);
        Ok(())
    }

    /// Prints where a program's time goes: its parts and their shares.
    pub fn shares(&mut self, watch: &Stopwatch) -> Result<(), Box<dyn Error>> {
        let parts: Vec<_> = watch.parts().collect();
        let total: f64 = parts.iter().map(|(_, time)| time.median).sum();
        self.session.screen.labelled(
            &format!("{:<24}", "Where"),
            &format!("{:>8}{:>13}{:>9}", "median", "middle half", "share"),
        )?;
        for (part, Summary { median, low, high }) in parts {
            self.session.screen.line(format_args!(
                "  {part:<22}{:>9}{:>13}{:>9}",
                time(median),
                range(low, high, median),
                share(median / total),
            ))?;
            self.figures.insert(part.to_owned(), median);
        }
        Ok(())
    }

    /// The median seconds of a row that was measured. Rows of other tables than the first are
    /// called by both names: "threads, 1,000 maps".
    ///
    /// # Panics
    /// If there is no such row.
    pub fn seconds(&self, row: &str) -> f64 {
        self.rows[self.place_of(row)].time.median
    }

    pub(crate) fn place_of(&self, row: &str) -> usize {
        let stage = self.rows.iter().position(|stage| stage.name == row);
        stage.unwrap_or_else(|| panic!("no row called '{row}' was measured"))
    }

    /// The median seconds of something beside the tables, over as many rounds as the tables have.
    /// Each gets items of its own, copied before the clock starts. The JSON document has the
    /// median among its figures, under this name.
    ///
    /// # Errors
    /// The first error of what runs.
    pub fn clock<A: Clone, R, E: Error + 'static>(
        &mut self,
        figure: &str,
        items: &[A],
        work: impl Fn(Vec<A>) -> Result<R, E>,
    ) -> Result<f64, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..=self.rounds {
            let items = items.to_vec();
            let begin = Instant::now();
            let answers = work(items)?;
            times.push(begin.elapsed().as_secs_f64());
            drop(answers);
        }
        // The first one warmed up.
        let median = Summary::of(&times[1..]).median;
        self.figures.insert(figure.to_owned(), median);
        Ok(median)
    }
}
