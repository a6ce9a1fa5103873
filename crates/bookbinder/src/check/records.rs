//! The recorded runs: all there, and each with its machine.

use crate::fault::Fault;
use crate::house::House;
use crate::{figures, record, records};
use anyhow::Result;

/// Records that are missing, or that do not say where, when and from what they were taken.
///
/// # Errors
/// If the lessons' folders cannot be read.
pub fn records(house: &House) -> Result<Vec<Fault>> {
    let records = records::Records::new(house.records());
    let mut faults = Vec::new();
    let mut fault = |file: String, what: String| {
        let path = house.records().join(file);
        faults.push(Fault::of_file(house.shown(&path), what));
    };
    for record::Recording { name, is_drawn, .. } in record::recordings(house)? {
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
        match records.record(&name).and_then(|record| figures::machine(&record)) {
            Ok(_) => {}
            Err(why) => fault(format!("{name}.json"), why),
        }
    }
    let source = ["serial", "threads", "processes"].map(|key| records.number("source", key));
    for why in source.into_iter().filter_map(Result::err) {
        fault("source.json".into(), why);
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn records_without_a_machine_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let house = House::at(folder.path());
        fs::create_dir_all(house.records()).unwrap();
        for lesson in curriculum::lessons(House::here().root()).unwrap() {
            fs::create_dir_all(lesson.path(house.root())).unwrap();
            let facts = |house: &House| lesson.path(house.root()).join("lesson.toml");
            fs::copy(facts(&House::here()), facts(&house)).unwrap();
        }
        let write = |file: &str, text: &str| fs::write(house.records().join(file), text).unwrap();
        let machine = r#"{"cpu": "C", "cores": 2, "limits": "none", "system": "Linux",
            "toolchain": "rustc", "commit": "abc", "date": "2026-01-01", "rounds": 21}"#;
        for record::Recording { name, .. } in record::recordings(&House::here()).unwrap() {
            write(&format!("{name}.txt"), "Machine      3 cores\nLesson\n");
            write(&format!("{name}.svg"), "<svg/>");
            write(&format!("{name}.json"), &format!(r#"{{"machine": {machine}, "run": {{}}}}"#));
        }
        write("source.json", r#"{"run": {"serial": 1, "threads": 2, "processes": 3}}"#);
        assert_eq!(records(&house).unwrap(), []);

        write("lesson-2.json", r#"{"run": {}}"#);
        write("lesson-3.txt", " ");
        fs::remove_file(house.records().join("lesson-4.svg")).unwrap();
        write("source.json", r#"{"run": {"serial": 1, "threads": 2}}"#);
        let faults: Vec<String> =
            records(&house).unwrap().iter().map(ToString::to_string).collect();
        let expected = [
            "lesson-2.json: the record has no machine.limits",
            "lesson-3.txt: empty",
            "lesson-4.svg: there is no record",
            "source.json: `processes`",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
