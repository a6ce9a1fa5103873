//! Recorded pictures, with the same data in a table below, and the machine they were taken on.

use crate::records::slug;
use crate::{format, predictions};
use kernel::worker_name;
use report::{ItemSpan, Picture};
use serde_json::Value;
use std::fmt::Write as _;

/// The recorded picture, in the page itself (so that it follows the page's colours and needs no
/// second file), and under it the spans of the stages that it shows, as a table that folds. Without
/// a stage it is the record's map of computing against bytes, with a row for each cell.
///
/// # Errors
/// One line if the record has no such stage, or no spans in it.
pub fn recorded(svg: &str, record: &Value, stages: &[&str]) -> Result<String, String> {
    let rows = record["run"]["stages"].as_array().ok_or("the record has no stages")?;
    if stages.is_empty() {
        return map(svg, rows);
    }
    let mut drawn = Vec::new();
    for stage in stages {
        let named = |row: &&Value| row["name"].as_str().is_some_and(|name| slug(name) == *stage);
        let row = rows.iter().find(named);
        let row = row.ok_or_else(|| format!("the record has no stage `{stage}`"))?;
        let places = places(row).ok_or_else(|| format!("no spans are recorded for `{stage}`"))?;
        drawn.push((row["name"].as_str().unwrap_or(stage).to_owned(), places));
    }
    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    let caption = match names[..] {
        [name] => format!("One recorded round of {name}"),
        _ => format!("One recorded round each: {}", names.join("; ")),
    };
    Ok(figure(svg, &caption, &drawn))
}

/// The schedule that a policy makes of the ten pairs, drawn at the speed at which a record's
/// serial stage ran (in seconds for all steps).
///
/// # Errors
/// One line if there is no such policy or number of workers.
pub fn predicted(record: &str, serial: f64, policy: &str, workers: &str) -> Result<String, String> {
    let (policy, workers) = (predictions::policy(policy)?, predictions::workers(workers)?);
    let costs = predictions::costs();
    let second_per_step = serial / costs.iter().sum::<u64>() as f64;
    let places: Vec<ItemSpan> = schedule::plan(policy, &costs, workers)
        .into_iter()
        .map(|slot| ItemSpan {
            item: slot.item,
            worker: slot.worker,
            start: slot.start as f64 * second_per_step,
            end: slot.end as f64 * second_per_step,
        })
        .collect();
    let name = format!("{}, predicted", policy.name());
    let seconds = schedule::makespan(policy, &costs, workers) as f64 * second_per_step;
    let picture =
        Picture { name: name.clone(), workers: workers.get(), seconds, places: places.clone() };
    let id = format!("{record}-{}-{workers}", policy.key());
    let title =
        format!("{name}: which worker runs which of the ten items when on {workers} workers");
    let caption = format!("{name} on {workers} workers, at the recorded speed of the loop");
    Ok(figure(&report::svg(&id, &title, &[picture]), &caption, &[(name, places)]))
}

fn map(svg: &str, stages: &[Value]) -> Result<String, String> {
    let list = |value: &Value, name: &str| {
        value[name].as_array().cloned().ok_or_else(|| format!("no {name}: name the stages"))
    };
    let text = |value: &Value| value["name"].as_str().unwrap_or("?").replace(' ', "\u{a0}");
    let mut table =
        String::from("| stage | bytes | computing | measured | predicted |\n|:--|--:|--:|--:|--:|");
    for stage in stages {
        for row in list(stage, "rows")? {
            for cell in list(&row, "cells")? {
                let ratio = |name: &str| {
                    let found = cell[name].as_f64().map(format::ratio);
                    found.ok_or_else(|| format!("a cell has no {name}"))
                };
                let (measured, predicted) = (ratio("speedup")?, ratio("predicted_speedup")?);
                let (stage, row, cell) = (text(stage), text(&row), text(&cell));
                let _ = write!(table, "\n| {stage} | {row} | {cell} | {measured} | {predicted} |");
            }
        }
    }
    let caption = "Computing of an item from left to right, its bytes from top to bottom; \
                   the thick line is the model's break-even";
    Ok(folded(svg, caption, &table))
}

/// A picture in a page, with its data. HTML in Markdown ends at an empty line, so there is none
/// in the picture, and one around the table, which is Markdown again.
fn figure(svg: &str, caption: &str, drawn: &[(String, Vec<ItemSpan>)]) -> String {
    let mut table = String::from("| stage | worker | item | from | to |\n|:--|:--|--:|--:|--:|");
    for (name, places) in drawn {
        let mut places = places.clone();
        places.sort_by(|a, b| a.worker.cmp(&b.worker).then(a.start.total_cmp(&b.start)));
        for ItemSpan { item, worker, start, end } in places {
            let [start, end] = [start, end].map(format::time);
            let (worker, item) = (worker_name(worker), item + 1);
            let _ = write!(table, "\n| {name} | {worker} | {item} | {start} | {end} |");
        }
    }
    folded(svg, caption, &table)
}

fn folded(svg: &str, caption: &str, table: &str) -> String {
    let svg: Vec<&str> = svg_element(svg).lines().filter(|line| !line.trim().is_empty()).collect();
    format!(
        "<figure class=\"schedule\">\n{}\n<figcaption>{caption}</figcaption>\n</figure>\n\n\
         <details class=\"data\">\n<summary>The same as a table</summary>\n\n{table}\n\n</details>\n",
        svg.join("\n"),
    )
}

/// The element without what may stand before it in a file of its own (`<?xml …?>`).
fn svg_element(svg: &str) -> &str {
    svg.find("<svg").map_or(svg, |start| &svg[start..])
}

/// The recorded places of a stage's items; none if there are none.
fn places(stage: &Value) -> Option<Vec<ItemSpan>> {
    let spans: Vec<ItemSpan> = serde_json::from_value(stage["spans"].clone()).ok()?;
    (!spans.is_empty()).then_some(spans)
}

/// One sentence: where, with what and when a record was taken; and of how many rounds, if it has
/// any.
///
/// # Errors
/// One line that names the field that the record lacks.
pub fn machine(record: &Value) -> Result<String, String> {
    let machine = &record["machine"];
    let field = |name: &str| match &machine[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("the record has no machine.{name}")),
    };
    let limits = match field("limits")?.as_str() {
        "none" => String::new(),
        limits => format!(" ({limits})"),
    };
    let rounds = match machine.get("rounds") {
        Some(rounds) => format!(" Medians of {rounds} rounds."),
        None => String::new(),
    };
    Ok(format!(
        "*Recorded on {}: {} cores{limits}, {}, {}, commit {}, {}.{rounds}*",
        field("cpu")?,
        field("cores")?,
        field("system")?,
        field("toolchain")?,
        field("commit")?,
        field("date")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SVG: &str = "<?xml version=\"1.0\"?>\n<svg role=\"img\">\n\n<rect/>\n</svg>\n";

    #[test]
    fn a_picture_goes_into_the_page_with_its_data() {
        let record = json!({"run": {"stages": [{"name": "threads", "spans": [
            {"item": 1, "worker": 1, "start": 0.001, "end": 0.002},
            {"item": 0, "worker": 0, "start": 0.0, "end": 0.003}]}]}});
        let figure = recorded(SVG, &record, &["threads"]).unwrap();
        assert!(figure.contains("<svg role=\"img\">\n<rect/>"), "{figure}");
        assert!(!figure.contains("<?xml"));
        let first = figure.find("| threads | A | 1 |").unwrap();
        assert!(first < figure.find("| threads | B | 2 | 1.00\u{a0}ms | 2.00\u{a0}ms |").unwrap());
    }

    #[test]
    fn maps_go_into_the_page_with_their_cells() {
        let record = json!({"run": {"stages": [{"name": "threads", "rows": [{"name": "24 B",
            "cells": [{"name": "20 µs", "speedup": 1.25, "predicted_speedup": 1.5}]}]}]}});
        let page = recorded(SVG, &record, &[]).unwrap();
        assert!(page.contains("| threads | 24\u{a0}B | 20\u{a0}µs | 1.25× | 1.50× |"), "{page}");
        assert!(page.contains("<svg role=\"img\">\n<rect/>"), "{page}");
        assert!(recorded(SVG, &json!({"run": {}}), &[]).unwrap_err().contains("no stages"));
        let spans = json!({"run": {"stages": [{"name": "threads", "spans": []}]}});
        assert!(recorded(SVG, &spans, &[]).unwrap_err().contains("name the stages"));
    }

    #[test]
    fn a_prediction_is_drawn_to_the_record_s_scale() {
        let figure = predicted("lesson-9", 0.1, "queue", "2").unwrap();
        // 0.1 s divided by 1.97: when the last worker is done.
        assert!(figure.contains("50.7"), "{figure}");
        assert!(!figure.split("</figure>").next().unwrap().contains("\n\n"));
        assert!(predicted("lesson-9", 0.1, "fifo", "2").is_err());
    }

    #[test]
    fn a_stage_without_spans_is_an_error() {
        let record = json!({"run": {"stages": [{"name": "threads", "spans": []}]}});
        assert!(recorded(SVG, &record, &["threads"]).unwrap_err().contains("no spans"));
        assert!(recorded(SVG, &record, &["serial"]).unwrap_err().contains("no stage"));
    }

    #[test]
    fn a_machine_without_a_date_is_an_error() {
        let mut record = json!({"machine": {"cpu": "C", "cores": 2, "limits": "none",
            "system": "Linux 6", "toolchain": "rustc 1", "commit": "abc", "date": "2026-01-01",
            "rounds": 21}});
        assert!(machine(&record).unwrap().starts_with("*Recorded on C: 2 cores, Linux 6"));
        assert!(machine(&record).unwrap().ends_with(", 2026-01-01. Medians of 21 rounds.*"));
        record["machine"].as_object_mut().unwrap().remove("rounds");
        assert!(machine(&record).unwrap().ends_with(", 2026-01-01.*"));
        record["machine"].as_object_mut().unwrap().remove("date");
        assert_eq!(machine(&record).unwrap_err(), "the record has no machine.date");
    }
}
