//! The timeline as a drawing.

use crate::format::{counted, time};
use crate::picture::Picture;
use kernel::worker_name;
use std::fmt::Write;

/// How wide every drawing is, in pixels.
pub const WIDTH: f64 = 760.0;
const LEFT: f64 = 44.0;
/// The margin on the right.
pub const RIGHT: f64 = 16.0;
const HEADING: f64 = 30.0;
const LANE: f64 = 30.0;
/// How high a block is.
pub const BLOCK: f64 = 22.0;
const SCALE: f64 = 30.0;
/// More lanes than this make a drawing that nobody scrolls through.
const LANES: usize = 64;
/// As many patterns as can be told apart; the letter tells worker G from worker A.
const PATTERNS: usize = 6;

/// Draws pictures below each other, on one scale: a lane per worker, a block per item with its
/// number.
///
/// The drawing has a title and a description for those who do not see it, tells workers apart by
/// letter and pattern, and follows the reader's light or dark scheme. It names no font and loads
/// nothing. The same input gives the same drawing. `id` (a word) keeps its parts from being mixed
/// up with another drawing's on the same page.
pub fn svg(id: &str, title: &str, pictures: &[Picture]) -> String {
    Drawing::make(id, |drawing| drawing.draw(title, pictures))
}

/// A drawing in the making.
pub struct Drawing {
    /// Begins the names of all its parts.
    pub id: String,
    /// What is drawn so far.
    pub text: String,
}

impl Drawing {
    /// A drawing of this id (a word), made by `draw` up to its closing tag.
    pub fn make(id: &str, draw: impl FnOnce(&mut Self) -> std::fmt::Result) -> String {
        let mut drawing = Self { id: escape(id), text: String::new() };
        // Writing to a String does not fail.
        draw(&mut drawing).expect("a String takes everything");
        drawing.text + "</svg>\n"
    }

    fn draw(&mut self, title: &str, pictures: &[Picture]) -> std::fmt::Result {
        let height: f64 = pictures.iter().map(panel_height).sum();
        let seconds = pictures.iter().map(|picture| picture.seconds).fold(0.0, f64::max);
        self.begin(title, &description(pictures), height)?;
        let mut top = 0.0;
        for picture in pictures {
            self.panel(picture, top, seconds)?;
            top += panel_height(picture);
        }
        Ok(())
    }

    /// Everything before the first lane of a timeline of this height.
    ///
    /// # Errors
    /// None: a String takes everything.
    pub fn begin(&mut self, title: &str, description: &str, height: f64) -> std::fmt::Result {
        self.head(title, description, height)?;
        self.style()?;
        self.patterns()
    }

    /// The opening tag, the title and the description of a drawing of this height.
    ///
    /// # Errors
    /// None: a String takes everything.
    pub fn head(&mut self, title: &str, description: &str, height: f64) -> std::fmt::Result {
        let (id, out) = (&self.id, &mut self.text);
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="{id}-title {id}-desc" class="timeline" id="{id}">"#
        )?;
        writeln!(out, r#"<title id="{id}-title">{}</title>"#, escape(title))?;
        writeln!(out, r#"<desc id="{id}-desc">{}</desc>"#, escape(description))
    }

    fn style(&mut self) -> std::fmt::Result {
        let id = &self.id;
        // The rules begin with the drawing's id: inside a page they would be the whole page's.
        writeln!(
            self.text,
            "<style>
#{id} text {{ fill: #1a1a1a; font-family: sans-serif; font-size: 13px; }}
#{id} .name {{ font-weight: bold; }}
#{id} .number {{ text-anchor: middle; paint-order: stroke; stroke: #dbe9f6; stroke-width: 3px; }}
#{id} .end {{ text-anchor: end; }}
#{id} .paper {{ fill: #ffffff; }}
#{id} .idle {{ stroke: #9a9a9a; stroke-dasharray: 1 5; }}
#{id} .block, #{id} .way {{ stroke: #1a1a1a; }}
#{id} .lead {{ stroke: #9a9a9a; }}
#{id} .tint {{ fill: #dbe9f6; }}
#{id} .mark {{ stroke: #1a1a1a; fill: none; opacity: 0.45; }}
@media (prefers-color-scheme: dark) {{
  #{id} text {{ fill: #eeeeee; }}
  #{id} .number {{ stroke: #27445f; }}
  #{id} .paper {{ fill: #1e1e1e; }}
  #{id} .block, #{id} .way, #{id} .mark {{ stroke: #eeeeee; }}
  #{id} .tint {{ fill: #27445f; }}
}}
</style>
<rect class=\"paper\" width=\"100%\" height=\"100%\"/>"
        )
    }

    fn patterns(&mut self) -> std::fmt::Result {
        let marks = [
            "",
            r#"<path class="mark" d="M0 8 L8 0"/>"#,
            r#"<path class="mark" d="M4 0 V8"/>"#,
            r#"<path class="mark" d="M0 0 L8 8"/>"#,
            r#"<path class="mark" d="M0 4 H8"/>"#,
            r#"<circle class="mark" cx="4" cy="4" r="1.5"/>"#,
        ];
        writeln!(self.text, "<defs>")?;
        for (number, mark) in marks.iter().enumerate() {
            writeln!(
                self.text,
                r#"<pattern id="{}-{number}" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="tint" width="8" height="8"/>{mark}</pattern>"#,
                self.id
            )?;
        }
        writeln!(self.text, "</defs>")
    }

    fn panel(&mut self, picture: &Picture, top: f64, seconds: f64) -> std::fmt::Result {
        let (id, out) = (&self.id, &mut self.text);
        let across = |at: f64| LEFT + at / seconds.max(f64::MIN_POSITIVE) * (WIDTH - LEFT - RIGHT);
        writeln!(
            out,
            r#"<text class="name" x="{LEFT}" y="{:.0}">{}</text>"#,
            top + 20.0,
            escape(&picture.name)
        )?;
        let lanes = picture.workers.min(LANES);
        for worker in 0..lanes {
            let y = top + HEADING + LANE * worker as f64;
            let letter = worker_name(worker);
            writeln!(out, r#"<text class="name" x="14" y="{:.0}">{letter}</text>"#, y + 16.0)?;
            writeln!(
                out,
                r#"<path class="idle" d="M{LEFT} {middle:.0} H{:.0}"/>"#,
                WIDTH - RIGHT,
                middle = y + BLOCK / 2.0
            )?;
            for place in picture.lane(worker) {
                let (left, right) = (across(place.start), across(place.end));
                let number = (place.item + 1).to_string();
                writeln!(
                    out,
                    r#"<rect class="block" x="{left:.2}" y="{y:.0}" width="{:.2}" height="{BLOCK}" fill="url(#{id}-{})"><title>worker {letter}, item {number}: {} to {}</title></rect>"#,
                    right - left,
                    worker % PATTERNS,
                    time(place.start),
                    time(place.end)
                )?;
                if right - left > 8.0 * number.len() as f64 + 2.0 {
                    writeln!(
                        out,
                        r#"<text class="number" x="{:.2}" y="{:.0}">{number}</text>"#,
                        (left + right) / 2.0,
                        y + 16.0
                    )?;
                }
            }
        }
        let y = top + HEADING + LANE * lanes as f64 + 12.0;
        if picture.workers > LANES {
            let more = counted(picture.workers - LANES, "worker");
            writeln!(out, r#"<text x="{:.0}" y="{y:.0}">and {more} more</text>"#, LEFT + 40.0)?;
        }
        writeln!(out, r#"<text x="{LEFT}" y="{y:.0}">0</text>"#)?;
        writeln!(
            out,
            r#"<text class="end" x="{:.0}" y="{y:.0}">{}</text>"#,
            WIDTH - RIGHT,
            time(seconds)
        )
    }
}

fn panel_height(picture: &Picture) -> f64 {
    HEADING + LANE * picture.workers.min(LANES) as f64 + SCALE
}

/// What the drawing shows, in words.
fn description(pictures: &[Picture]) -> String {
    let describe = |picture: &Picture| {
        let mut text = format!("{}: {} in all.", picture.name, time(picture.seconds));
        if picture.crowded() || picture.workers > LANES {
            let items = counted(picture.places.len(), "item");
            let _ = write!(text, " {items} on {}.", counted(picture.workers, "worker"));
            return text;
        }
        for worker in 0..picture.workers {
            let items: Vec<String> =
                picture.lane(worker).iter().map(|place| (place.item + 1).to_string()).collect();
            let _ = match items.as_slice() {
                [] => write!(text, " Worker {} gets nothing.", worker_name(worker)),
                [item] => write!(text, " Worker {} runs item {item}.", worker_name(worker)),
                _ => {
                    write!(text, " Worker {} runs items {}.", worker_name(worker), items.join(", "))
                }
            };
        }
        text
    };
    pictures.iter().map(describe).collect::<Vec<_>>().join(" ")
}

/// Text as it may stand in an element or an attribute. (Control characters, which no name here
/// has, are dropped: XML has no way to write them.)
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::sample;

    #[test]
    fn what_xml_reads_as_its_own_is_escaped() {
        assert_eq!(escape("a < b & \"c\" > d\u{7}"), "a &lt; b &amp; &quot;c&quot; &gt; d");
        let drawing = svg("x", "1 < 2", &[sample("<p>", 1, &[(0, 0.0, 1.0)])]);
        assert!(drawing.contains("<title id=\"x-title\">1 &lt; 2</title>"));
        assert!(!drawing.contains("<p>"));
    }

    #[test]
    fn the_description_says_who_ran_what() {
        let picture = sample("threads", 3, &[(0, 0.0, 0.5), (1, 0.0, 1.0), (0, 0.5, 1.0)]);
        assert_eq!(
            description(&[picture]),
            "threads: 1.00 s in all. Worker A runs items 1, 3. Worker B runs item 2. Worker C gets nothing."
        );
    }

    #[test]
    fn the_same_input_gives_the_same_drawing_and_workers_differ_by_pattern() {
        let draw = || svg("x", "t", &[sample("p", 2, &[(0, 0.0, 1.0), (1, 0.0, 1.0)])]);
        assert_eq!(draw(), draw());
        assert!(draw().contains("url(#x-0)") && draw().contains("url(#x-1)"));
    }

    #[test]
    fn many_workers_and_items_stay_bounded() {
        let places: Vec<_> = (0..1_000).map(|i| (i % 100, 0.0, 1.0)).collect();
        let drawing = svg("x", "t", &[sample("p", 100, &places)]);
        assert!(drawing.contains("and 36 workers more"));
        assert!(drawing.contains("1,000 items on 100 workers."));
    }
}
