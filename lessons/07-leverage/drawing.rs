//! The maps as a drawing.

use crate::sweep::{Cell, ROWS, StageMap, Sweep};
use crate::text::{chosen, short, sign};
use report::{Drawing, RIGHT, WIDTH, time};
use std::fmt::Write;

const LEFT: f64 = 84.0;
const HEADING: f64 = 54.0;
const ROW: f64 = 40.0;
const FOOT: f64 = 18.0;

/// Draws a map for each stage: a square for each cell with the measured speed-up and below it the
/// predicted one, filled where the stage is faster, hatched where it is about even; and the model's
/// break-even as a thick line.
pub(crate) fn svg(id: &str, title: &str, sweep: &Sweep) -> String {
    Drawing::make(id, |drawing| draw(drawing, title, sweep))
}

fn draw(drawing: &mut Drawing, title: &str, sweep: &Sweep) -> std::fmt::Result {
    let panel = HEADING + ROW * ROWS.len() as f64 + FOOT;
    let height = panel * sweep.maps.len() as f64;
    drawing.head(title, &description(sweep), height)?;
    let (id, out) = (drawing.id.clone(), &mut drawing.text);
    // The rules begin with the drawing's id: inside a page they would be the whole page's.
    writeln!(
        out,
        "<style>
#{id} text {{ fill: #1a1a1a; font-family: sans-serif; font-size: 13px; }}
#{id} .name {{ font-weight: bold; }}
#{id} .cell {{ text-anchor: middle; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }}
#{id} .end {{ text-anchor: end; }}
#{id} .paper {{ fill: #ffffff; }}
#{id} .block {{ stroke: #9a9a9a; }}
#{id} .lose {{ fill: none; }}
#{id} .win {{ fill: #bcd9f2; }}
#{id} .tint {{ fill: #e9f1f9; }}
#{id} .mark {{ stroke: #9a9a9a; fill: none; }}
#{id} .even {{ stroke: #1a1a1a; stroke-width: 4; fill: none; }}
@media (prefers-color-scheme: dark) {{
  #{id} text {{ fill: #eeeeee; }}
  #{id} .cell {{ stroke: #1e1e1e; }}
  #{id} .paper {{ fill: #1e1e1e; }}
  #{id} .win {{ fill: #27445f; }}
  #{id} .tint {{ fill: #24303a; }}
  #{id} .even {{ stroke: #eeeeee; }}
}}
</style>
<rect class=\"paper\" width=\"100%\" height=\"100%\"/>
<defs><pattern id=\"{id}-about\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect class=\"tint\" width=\"8\" height=\"8\"/><path class=\"mark\" d=\"M0 8 L8 0\"/></pattern></defs>"
    )?;
    for (number, of) in sweep.maps.iter().enumerate() {
        map(out, &id, sweep, of, panel * number as f64)?;
    }
    Ok(())
}

fn map(out: &mut String, id: &str, sweep: &Sweep, of: &StageMap, top: f64) -> std::fmt::Result {
    let wide = (WIDTH - LEFT - RIGHT) / sweep.columns.len() as f64;
    writeln!(
        out,
        r#"<text class="name" x="16" y="{:.0}">{}: speed-up measured, and below it predicted</text>"#,
        top + 20.0,
        of.stage.name
    )?;
    for (column, &seconds) in sweep.columns.iter().enumerate() {
        let x = LEFT + wide * (column as f64 + 0.5);
        let y = top + HEADING - 8.0;
        writeln!(out, r#"<text class="cell" x="{x:.1}" y="{y:.0}">{}</text>"#, chosen(seconds))?;
    }
    for (row, payload) in ROWS.iter().enumerate() {
        let y = top + HEADING + ROW * row as f64;
        let (x, middle) = (LEFT - 8.0, y + 24.0);
        writeln!(out, r#"<text class="end" x="{x}" y="{middle:.0}">{}</text>"#, payload.name())?;
        for (column, &cell) in of.cells[row].iter().enumerate() {
            let x = LEFT + wide * column as f64;
            let fill = match sign(cell) {
                '#' => r#"class="block win""#.to_owned(),
                '.' => r#"class="block lose""#.to_owned(),
                _ => format!(r#"class="block" fill="url(#{id}-about)""#),
            };
            let Cell { speedup, predicted, .. } = cell;
            writeln!(
                out,
                r#"<rect {fill} x="{x:.1}" y="{y:.0}" width="{wide:.1}" height="{ROW}"><title>{}, {}: measured {}, predicted {}</title></rect>"#,
                payload.name(),
                chosen(sweep.columns[column]),
                short(speedup),
                short(predicted)
            )?;
            let x = x + wide / 2.0;
            let (above, below) = (y + 17.0, y + 33.0);
            writeln!(
                out,
                r#"<text class="cell name" x="{x:.1}" y="{above:.0}">{}</text><text class="cell" x="{x:.1}" y="{below:.0}">{}</text>"#,
                short(speedup),
                short(predicted)
            )?;
        }
    }
    // Columns are equally wide and their lengths grow by a factor: so between them by logarithm.
    let mut line = String::new();
    for row in 0..ROWS.len() {
        let Some(even) = sweep.predicted_break_even(of, row) else { continue };
        let x = LEFT + wide * place(&sweep.columns, even);
        let y = top + HEADING + ROW * row as f64;
        let to = if line.is_empty() { 'M' } else { 'L' };
        write!(line, "{to}{x:.1} {y:.0} V{:.0} ", y + ROW)?;
    }
    if !line.is_empty() {
        writeln!(out, r#"<path class="even" d="{}"/>"#, line.trim_end())?;
    }
    Ok(())
}

/// Where a time lies on the axis of the columns, in columns from the left edge; what lies beyond
/// an edge is drawn on it.
fn place(columns: &[f64], seconds: f64) -> f64 {
    let last = columns.len() - 1;
    let at = match columns.iter().position(|&column| column > seconds) {
        Some(0) => seconds / columns[0] - 0.5,
        Some(above) => {
            let (low, high) = (columns[above - 1], columns[above]);
            above as f64 - 0.5 + (seconds / low).ln() / (high / low).ln()
        }
        None => last as f64 + 0.5 + (seconds / columns[last]).ln() / 5f64.ln(),
    };
    at.clamp(0.0, columns.len() as f64)
}

/// What the drawing shows, in words.
fn description(sweep: &Sweep) -> String {
    let describe = |of: &StageMap| {
        let rows: Vec<String> = (0..ROWS.len())
            .map(|row| {
                let even = sweep.predicted_break_even(of, row);
                let even =
                    even.map_or("never".to_owned(), |even| format!("from {} on", time(even)));
                format!("{} {even}", ROWS[row].name())
            })
            .collect();
        format!(
            "{}: by the model they pay, by bytes of an item, {}.",
            of.stage.name,
            rows.join("; ")
        )
    };
    sweep.maps.iter().map(describe).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::sample;

    #[test]
    fn the_drawing_is_xml_with_a_title_a_description_and_every_cell() {
        let drawing = svg("x", "title", &sample(&[(0.5, 0.6), (1.0, 1.1), (2.0, 1.9)]));
        assert_eq!(drawing.matches("<rect class=\"block").count(), 3 * ROWS.len());
        assert_eq!(drawing.matches("class=\"even\"").count(), 1);
        assert!(drawing.contains("24 B from 10.0 µs on") && drawing.contains("predicted 1.90"));
        assert_eq!(drawing.matches('<').count(), drawing.matches('>').count());
    }

    #[test]
    fn the_line_stands_between_the_columns_it_lies_between() {
        let columns = [20e-6, 100e-6, 500e-6];
        let near = |seconds, at: f64| assert!((place(&columns, seconds) - at).abs() < 1e-9);
        near(100e-6, 1.5);
        near(20e-6, 0.5);
        near(1e-9, 0.0);
        near(20e-6 * 5f64.sqrt(), 1.0);
        near(1.0, 3.0);
    }
}
