//! The recorded runs: all there, and each with its machine.

use crate::fault::Fault;
use crate::house::House;
use crate::records::Records;
use crate::{figures, record};

/// Records that are missing, or that do not say where, when and from what they were taken.
pub fn records(house: &House) -> Vec<Fault> {
    let records = Records::new(house.records());
    let recordings = match record::recordings(house) {
        Ok(recordings) => recordings,
        Err(why) => return vec![Fault::of_file("lessons and crates", why)],
    };
    let mut faults = Vec::new();
    let mut check = |file: String, good: Result<(), String>| {
        let path = house.records().join(file);
        faults.extend(good.err().map(|what| Fault::of_file(house.shown(&path), what)));
    };
    for record::Recording { name, has_text, has_numbers, is_drawn, rounds, .. } in recordings {
        for (ending, _) in [("txt", has_text), ("svg", is_drawn)].iter().filter(|(_, kept)| *kept) {
            let file = format!("{name}.{ending}");
            let filled =
                |text: String| if text.trim().is_empty() { Err("empty".into()) } else { Ok(()) };
            check(file.clone(), records.text(&file).and_then(filled));
        }
        if has_numbers {
            let machine = records.record(&name).and_then(|record| figures::machine(&record));
            let rounds = rounds.map_or(Ok(0.0), |_| records.number(&name, "machine.rounds"));
            check(format!("{name}.json"), machine.and(rounds).map(drop));
        }
    }
    for key in ["serial", "threads", "processes"] {
        check("source.json".into(), records.number("source", key).map(drop));
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
        let write = |file: &str, text: &str| fs::write(house.records().join(file), text).unwrap();
        let machine = r#"{"cpu": "C", "cores": 2, "limits": "none", "system": "Linux",
            "toolchain": "rustc", "commit": "abc", "date": "2026-01-01", "rounds": 21}"#;
        for number in 2..=4 {
            let here = House::here().lessons().unwrap()[number].clone();
            let file = here.path(house.root()).join("lesson.toml");
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::copy(here.path(House::here().root()).join("lesson.toml"), file).unwrap();
        }
        fs::create_dir_all(house.root().join("crates/a")).unwrap();
        let manifest = "[package]\nname = 'a'\n[package.metadata.records]\nz = { bin = 'z' }\n";
        fs::write(house.root().join("crates/a/Cargo.toml"), manifest).unwrap();
        for record::Recording { name, .. } in record::recordings(&house).unwrap() {
            write(&format!("{name}.txt"), "Machine      3 cores\nLesson\n");
            write(&format!("{name}.svg"), "<svg/>");
            write(&format!("{name}.json"), &format!(r#"{{"machine": {machine}, "run": {{}}}}"#));
        }
        write("source.json", r#"{"run": {"serial": 1, "threads": 2, "processes": 3}}"#);
        assert_eq!(records(&house), []);

        write("lesson-2.json", r#"{"run": {}}"#);
        write("z.txt", "");
        let without = machine.replace(", \"rounds\": 21", "");
        write("lesson-4.json", &format!(r#"{{"machine": {without}, "run": {{}}}}"#));
        write("lesson-3.txt", " ");
        fs::remove_file(house.records().join("lesson-4.svg")).unwrap();
        write("source.json", r#"{"run": {"serial": 1, "threads": 2}}"#);
        let faults: Vec<String> = records(&house).iter().map(ToString::to_string).collect();
        let expected = [
            "lesson-2.json: the record has no machine.limits",
            "lesson-3.txt: empty",
            "lesson-4.svg: there is no record",
            "lesson-4.json: `rounds` of `machine.rounds` is not in the record",
            "z.txt: empty",
            "source.json: `processes`",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
