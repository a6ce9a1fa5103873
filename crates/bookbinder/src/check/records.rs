//! The recorded runs: all there, and each with its machine.

use crate::fault::Fault;
use crate::house::House;
use crate::record::Recording;
use crate::{figures, records};

/// Records that are missing, or that do not say where, when and from what they were taken.
pub fn records(house: &House, recordings: &[Recording]) -> Vec<Fault> {
    let records = records::Records::new(house.records());
    let mut faults = Vec::new();
    let mut fault = |file: String, what: String| {
        let path = house.records().join(file);
        faults.push(Fault::of_file(house.shown(&path), what));
    };
    for recording in recordings {
        let name = &recording.name;
        for (ending, is_kept) in [("txt", recording.text), ("svg", recording.is_drawn)] {
            match records.text(&format!("{name}.{ending}")) {
                _ if !is_kept => {}
                Ok(text) if !text.trim().is_empty() => {}
                Ok(_) => fault(format!("{name}.{ending}"), "empty".into()),
                Err(why) => fault(format!("{name}.{ending}"), why),
            }
        }
        if recording.has_numbers() {
            let told = records.record(name).and_then(|record| figures::machine(&record));
            let rounds =
                recording.rounds.map_or(Ok(0.0), |_| records.number(name, "machine.rounds"));
            if let Err(why) = told.and(rounds) {
                fault(format!("{name}.json"), why);
            }
        }
    }
    let source = ["serial", "threads", "processes"].map(|key| records.number("source", key));
    for why in source.into_iter().filter_map(Result::err) {
        fault("source.json".into(), why);
    }
    faults
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
        let recordings = crate::record::recordings(&House::here()).unwrap();
        let records = |house: &House| records(house, &recordings);
        let write = |file: &str, text: &str| fs::write(house.records().join(file), text).unwrap();
        let machine = r#"{"cpu": "C", "cores": 2, "limits": "none", "system": "Linux",
            "toolchain": "rustc", "commit": "abc", "date": "2026-01-01", "rounds": 21}"#;
        for Recording { name, .. } in &recordings {
            write(&format!("{name}.txt"), "Machine      3 cores\nLesson\n");
            write(&format!("{name}.svg"), "<svg/>");
            write(&format!("{name}.json"), &format!(r#"{{"machine": {machine}, "run": {{}}}}"#));
        }
        write("source.json", r#"{"run": {"serial": 1, "threads": 2, "processes": 3}}"#);
        assert_eq!(records(&house), []);

        write("lesson-1.json", &format!(r#"{{"machine": {machine}}}"#).replace("rounds", "turns"));
        write("lesson-2.json", r#"{"run": {}}"#);
        fs::remove_file(house.records().join("tour.txt")).unwrap();
        write("lesson-3.txt", " ");
        fs::remove_file(house.records().join("lesson-4.svg")).unwrap();
        write("source.json", r#"{"run": {"serial": 1, "threads": 2}}"#);
        let faults: Vec<String> = records(&house).iter().map(ToString::to_string).collect();
        let expected = [
            "lesson-1.json: `rounds` of `machine.rounds` is not in the record",
            "lesson-2.json: the record has no machine.limits",
            "lesson-3.txt: empty",
            "lesson-4.svg: there is no record",
            "tour.txt: there is no record",
            "source.json: `processes`",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
