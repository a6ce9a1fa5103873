//! The recorded runs: all there, and each with its machine.

use crate::fault::Fault;
use crate::house::House;
use crate::{figures, record, records};
use std::fs;

/// Records that are missing, or that do not say where, when and from what they were taken.
pub fn records(house: &House) -> Vec<Fault> {
    let records = records::Records::new(house.records());
    let mut faults = Vec::new();
    let mut fault = |file: String, what: String| {
        let path = house.records().join(file);
        faults.push(Fault::of_file(house.shown(&path), what));
    };
    for record::Recording { name, is_drawn, .. } in record::recordings() {
        for kind in ["txt", "svg"] {
            if kind == "svg" && !is_drawn {
                continue;
            }
            match records.text(&format!("{name}.{kind}")) {
                Ok(text) if text.trim().is_empty() => {
                    fault(format!("{name}.{kind}"), "empty".into())
                }
                Ok(_) => {}
                Err(why) => fault(format!("{name}.{kind}"), why),
            }
        }
        if let Ok(text) = records.text(&format!("{name}.txt"))
            && let Err(why) = as_today(house, &name, &text)
        {
            fault(format!("{name}.txt"), why);
        }
        match records.record(&name).and_then(|record| figures::machine(&record)) {
            Ok(_) => {}
            Err(why) => fault(format!("{name}.json"), why),
        }
    }
    let source = ["serial", "threads", "processes"].map(|key| records.number("source", key));
    for why in source.into_iter().filter_map(Result::err) {
        fault("source.json".into(), why);
    }
    faults
}

/// Whether a recorded text is what the lesson prints today, measured numbers aside. The tests hold
/// the snapshot to the lesson, so this holds the book to it.
fn as_today(house: &House, name: &str, text: &str) -> Result<(), String> {
    let snapshot = format!("tests/lessons/snapshots/{name}.snap");
    let today = fs::read_to_string(house.root().join(&snapshot))
        .map_err(|error| format!("{snapshot}: {error}"))?;
    // insta's file: a head between two lines of hyphens, then the text.
    let today = today.splitn(3, "---\n").last().unwrap_or_default();
    let masked = report::mask(text);
    let mut pairs = masked.trim().lines().zip(today.trim().lines());
    match pairs.find(|(recorded, today)| recorded != today) {
        Some((recorded, _)) => {
            Err(format!("not what the lesson prints today (`just record` helps): {recorded}"))
        }
        None if masked.trim().lines().count() != today.trim().lines().count() => {
            Err("longer or shorter than what the lesson prints today".into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_a_machine_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let house = House::at(folder.path());
        let snapshots = house.root().join("tests/lessons/snapshots");
        fs::create_dir_all(house.records()).unwrap();
        fs::create_dir_all(&snapshots).unwrap();
        let write = |file: &str, text: &str| fs::write(house.records().join(file), text).unwrap();
        let machine = r#"{"cpu": "C", "cores": 2, "limits": "none", "system": "Linux",
            "toolchain": "rustc", "commit": "abc", "date": "2026-01-01", "rounds": 21}"#;
        for record::Recording { name, .. } in record::recordings() {
            write(&format!("{name}.txt"), "Machine      3 cores\nLesson\n");
            let snapshot = "---\nsource: x\n---\nMachine      <machine>\nLesson\n";
            fs::write(snapshots.join(format!("{name}.snap")), snapshot).unwrap();
            write(&format!("{name}.svg"), "<svg/>");
            write(&format!("{name}.json"), &format!(r#"{{"machine": {machine}, "run": {{}}}}"#));
        }
        write("source.json", r#"{"run": {"serial": 1, "threads": 2, "processes": 3}}"#);
        assert_eq!(records(&house), []);

        write("lesson-2.json", r#"{"run": {}}"#);
        write("lesson-3.txt", " ");
        write("lesson-5.txt", "Machine      2 cores\nLessons\n");
        fs::remove_file(house.records().join("lesson-4.svg")).unwrap();
        write("source.json", r#"{"run": {"serial": 1, "threads": 2}}"#);
        let faults: Vec<String> = records(&house).iter().map(ToString::to_string).collect();
        let expected = [
            "lesson-2.json: the record has no machine.limits",
            "lesson-3.txt: empty",
            "lesson-3.txt: longer or shorter",
            "lesson-4.svg: there is no record",
            "lesson-5.txt: not what the lesson prints today (`just record` helps): Lessons",
            "source.json: `processes`",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
