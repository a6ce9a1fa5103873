//! What a run draws: schedules, as text and for `--svg`.

use crate::format::counted;
use crate::picture::Picture;
use crate::{Lesson, Run, svg, text_timeline};
use spans::Span;
use std::error::Error;
use std::num::NonZeroUsize;

impl Run {
    /// Draws one round of each of these rows, on one scale.
    ///
    /// # Panics
    /// If there is no such row, or it has no picture.
    pub fn schedule(&mut self, rows: &[&str]) -> Result<(), Box<dyn Error>> {
        let chosen: Vec<usize> = rows.iter().map(|row| self.place_of(row)).collect();
        let picture = |index: usize| self.rows[index].picture.as_ref().expect("it has a picture");
        let seconds = chosen.iter().map(|&index| picture(index).seconds).fold(0.0, f64::max);
        let key = if chosen.iter().any(|&index| picture(index).crowded()) {
            "too many items to number: = works, . idles"
        } else {
            "the number is the item, = works, . idles"
        };
        if let [row] = rows {
            self.session.screen.section("Schedule", &format!("{row}, one round; {key}"))?;
        } else {
            self.session.screen.section("Schedule", &format!("one round each; {key}"))?;
        }
        for (place, &index) in chosen.iter().enumerate() {
            if rows.len() > 1 {
                self.session.screen.line(format_args!("  {}", picture(index).name))?;
            }
            let mut lines = text_timeline(picture(index), seconds);
            if place + 1 < chosen.len() {
                lines.pop(); // one scale below them all
            }
            for line in lines {
                self.session.screen.line(line)?;
            }
        }
        self.drawn.extend(chosen);
        Ok(())
    }

    /// Draws lanes of the lesson's own: who had something, from when to when, in a window of so
    /// many seconds that begins at this time (nanoseconds of the spans' clock). What lies outside
    /// is cut off. The numbers count the spans.
    pub fn lanes(
        &mut self,
        workers: NonZeroUsize,
        spans: &[Span],
        begin_ns: u64,
        seconds: f64,
    ) -> Result<(), Box<dyn Error>> {
        let end_ns = begin_ns + (seconds * 1e9) as u64;
        let inside: Vec<Span> = spans
            .iter()
            .filter(|span| span.start_ns < end_ns && span.end_ns > begin_ns)
            .map(|&span| Span { end_ns: span.end_ns.min(end_ns), ..span })
            .collect();
        let picture = Picture::new("", workers.get(), (begin_ns, end_ns), &inside);
        for line in text_timeline(&picture, seconds) {
            self.session.screen.line(line)?;
        }
        Ok(())
    }

    /// What `--svg` asks for.
    pub(crate) fn drawing(&self) -> String {
        let Lesson { number, name, .. } = &self.session.lesson;
        // A lesson that showed no schedule has one all the same: the first row's.
        let drawn = if self.drawn.is_empty() { &[0][..] } else { &self.drawn };
        let pictures: Vec<_> =
            drawn.iter().filter_map(|&index| self.rows.get(index)?.picture.clone()).collect();
        let items = counted(self.pairs.len(), "item");
        let title = format!("Lesson {number}, {name}: who ran which of the {items} when");
        svg(&format!("lesson-{number}"), &title, &pictures)
    }
}
