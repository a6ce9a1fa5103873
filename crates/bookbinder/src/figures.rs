//! Recorded pictures, with the same data in a table below, and the machine they were taken on.

use crate::format;
use crate::records::slug;
use serde_json::Value;
use std::fmt::Write as _;

/// The recorded picture, in the page itself (so that it follows the page's colours and needs no
/// second file), and under it the spans of the stage that it shows, as a table that folds.
///
/// # Errors
/// One line if the record has no such stage, or no spans in it.
pub fn recorded(name: &str, svg: &str, record: &Value, stage: &str) -> Result<String, String> {
    let stages = record["run"]["stages"].as_array().ok_or("the record has no stages")?;
    let found =
        stages.iter().find(|found| found["name"].as_str().is_some_and(|n| slug(n) == stage));
    let found = found.ok_or_else(|| format!("the record has no stage `{stage}`"))?;
    let label = found["name"].as_str().unwrap_or(stage);
    let rows = span_rows(found).ok_or_else(|| format!("no spans were recorded for `{stage}`"))?;
    let mut table = String::from("| worker | item | from | to |\n|:--|--:|--:|--:|\n");
    for Row { worker, item, start, end } in rows {
        let [start, end] = [start, end].map(format::time);
        let _ = writeln!(table, "| {worker} | {item} | {start} | {end} |");
    }
    Ok(figure(name, svg, &format!("{label}, one recorded round"), &table))
}

/// A picture in a page, with its data. HTML in Markdown ends at an empty line, so there is none
/// in the picture, and one around the table, which is Markdown again.
pub fn figure(name: &str, svg: &str, caption: &str, table: &str) -> String {
    let svg = own_ids(name, svg_element(svg));
    let svg: Vec<&str> = svg.lines().filter(|line| !line.trim().is_empty()).collect();
    format!(
        "<figure class=\"schedule\">\n{}\n<figcaption>{caption}</figcaption>\n</figure>\n\n\
         <details class=\"data\">\n<summary>The same as a table</summary>\n\n{}\n\n</details>\n",
        svg.join("\n"),
        table.trim_end(),
    )
}

/// The element without what may stand before it in a file of its own (`<?xml …?>`).
fn svg_element(svg: &str) -> &str {
    svg.find("<svg").map_or(svg, |start| &svg[start..])
}

/// Several pictures can meet in one page (the one for printing): every id gets the record's name.
fn own_ids(name: &str, svg: &str) -> String {
    let ids: Vec<&str> = svg
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(id, _)| id))
        .collect();
    let mut own = svg.to_owned();
    for id in ids {
        let new = format!("{name}-{id}");
        own = own
            .replace(&format!(" id=\"{id}\""), &format!(" id=\"{new}\""))
            .replace(&format!("url(#{id})"), &format!("url(#{new})"))
            .replace(&format!("href=\"#{id}\""), &format!("href=\"#{new}\""));
    }
    // Lists of ids: `aria-labelledby="title description"`.
    let mut parts = own.split("aria-labelledby=\"");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (list, rest) = part.split_once('"').unwrap_or((part, ""));
        let list: Vec<String> = list.split_whitespace().map(|id| format!("{name}-{id}")).collect();
        let _ = write!(out, "aria-labelledby=\"{}\"{rest}", list.join(" "));
    }
    out
}

struct Row {
    worker: String,
    item: u64,
    start: f64,
    end: f64,
}

fn span_rows(stage: &Value) -> Option<Vec<Row>> {
    let spans = stage["spans"].as_array().filter(|spans| !spans.is_empty())?;
    let mut rows = Vec::new();
    for span in spans {
        let worker = match &span["worker"] {
            Value::String(name) => name.clone(),
            number => kernel::worker_name(usize::try_from(number.as_u64()?).ok()?),
        };
        let (item, start) = (span["item"].as_u64()?, span["start"].as_f64()?);
        rows.push(Row { worker, item, start, end: span["end"].as_f64()? });
    }
    rows.sort_by(|a, b| a.worker.cmp(&b.worker).then(a.start.total_cmp(&b.start)));
    Some(rows)
}

/// One sentence: where, with what and when a record was taken.
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
    Ok(format!(
        "*Recorded on {}: {} cores{limits}, {}, {}, commit {}, {}. Medians of {} rounds.*",
        field("cpu")?,
        field("cores")?,
        field("system")?,
        field("toolchain")?,
        field("commit")?,
        field("date")?,
        field("rounds")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SVG: &str = "<?xml version=\"1.0\"?>\n<svg aria-labelledby=\"t d\" role=\"img\">\n\n\
                       <title id=\"t\">T</title><desc id=\"d\">D</desc>\n\
                       <rect fill=\"url(#p)\"/><pattern id=\"p\"/>\n</svg>\n";

    #[test]
    fn a_picture_goes_into_the_page_with_its_data() {
        let record = json!({"run": {"stages": [{"name": "threads", "spans": [
            {"item": 2, "worker": 1, "start": 0.001, "end": 0.002},
            {"item": 1, "worker": 0, "start": 0.0, "end": 0.003}]}]}});
        let figure = recorded("lesson-9", SVG, &record, "threads").unwrap();
        assert!(figure.contains("aria-labelledby=\"lesson-9-t lesson-9-d\" role"), "{figure}");
        assert!(figure.contains("url(#lesson-9-p)") && figure.contains("id=\"lesson-9-p\""));
        assert!(!figure.contains("<?xml"));
        let picture = figure.split("</figure>").next().unwrap();
        assert!(!picture.contains("\n\n"), "an empty line would end the HTML: {picture}");
        let first = figure.find("| A | 1 |").unwrap();
        assert!(first < figure.find("| B | 2 |").unwrap());
    }

    #[test]
    fn a_stage_without_spans_is_an_error() {
        let record = json!({"run": {"stages": [{"name": "threads", "spans": []}]}});
        assert!(recorded("x", SVG, &record, "threads").unwrap_err().contains("no spans"));
        assert!(recorded("x", SVG, &record, "serial").unwrap_err().contains("no stage"));
    }

    #[test]
    fn a_machine_without_a_date_is_an_error() {
        let mut record = json!({"machine": {"cpu": "C", "cores": 2, "limits": "none",
            "system": "Linux 6", "toolchain": "rustc 1", "commit": "abc", "date": "2026-01-01",
            "rounds": 21}});
        assert!(machine(&record).unwrap().starts_with("*Recorded on C: 2 cores, Linux 6"));
        record["machine"].as_object_mut().unwrap().remove("date");
        assert_eq!(machine(&record).unwrap_err(), "the record has no machine.date");
    }
}
