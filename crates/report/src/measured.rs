//! Which values of a lesson's JSON document are measured, and differ from machine to machine.

use serde_json::Value;

/// What stands in the place of a measured value, by its key.
const MEASURED: [(&str, &str); 17] = [
    ("seconds", "<seconds>"),
    ("low", "<seconds>"),
    ("high", "<seconds>"),
    ("start", "<seconds>"),
    ("end", "<seconds>"),
    ("clock", "<seconds>"),
    ("alone", "<seconds>"),
    ("round_trip", "<seconds>"),
    ("seconds_per_byte", "<seconds>"),
    ("predicted_break_even", "<seconds>"),
    ("measured_break_even", "<seconds>"),
    ("speedup", "<speed-up>"),
    ("speedup_to_own_serial", "<speed-up>"),
    ("share", "<share>"),
    ("worker", "<worker>"),
    ("cores", "<cores>"),
    ("rounds", "<rounds>"),
];

/// A lesson's document with every measured value replaced by what it is. The structure, the names
/// and the predictions stay. The spans of a row are all alike, and the first of them stays.
///
/// Only a number is replaced: a field that is missing or of another type is to be seen. (A
/// break-even that was not found is null on one machine and a number on another.)
pub fn mask_json(document: &Value) -> Value {
    let mut masked = document.clone();
    mask(&mut masked);
    masked
}

fn mask(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::Object(object) => {
            // A prediction that stands beside the loop's own time is the model's: it follows from
            // what was measured, and differs from run to run.
            let is_modelled = object.contains_key("alone");
            for (key, value) in object {
                let is_number = value.is_number() || key.ends_with("_break_even");
                let measured = MEASURED.iter().find(|(name, _)| name == key);
                match (&**key, measured) {
                    (_, Some((_, by))) if is_number => *value = (*by).into(),
                    ("predicted_speedup", _) if is_modelled => *value = "<speed-up>".into(),
                    ("figures" | "model", _) => all(value, "<figure>"),
                    // Which Python stands beside the lesson is the machine's.
                    ("python", _) => all(value, "<python>"),
                    ("spans", _) => {
                        value.as_array_mut().into_iter().for_each(|spans| spans.truncate(1));
                        mask(value);
                    }
                    _ => mask(value),
                }
            }
        }
        _ => {}
    }
}

/// Replaces every value but names.
fn all(value: &mut Value, by: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| all(value, by)),
        Value::Object(object) => object
            .iter_mut()
            .filter(|(key, _)| *key != "name")
            .for_each(|(_, value)| all(value, by)),
        value => *value = by.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_keep_their_bytes() {
        let step = json!({"name": "send", "seconds": 1e-6, "low": 0.0, "high": 2e-6, "share": 0.4,
                          "bytes": 34});
        let document = json!({"clock": 2e-8, "items": [{"seconds": 1e-5, "steps": [step]}]});
        let step = json!({"name": "send", "seconds": "<seconds>", "low": "<seconds>",
                          "high": "<seconds>", "share": "<share>", "bytes": 34});
        assert_eq!(
            mask_json(&document),
            json!({"clock": "<seconds>", "items": [{"seconds": "<seconds>", "steps": [step]}]})
        );
        assert_eq!(mask_json(&json!({"items": 10})), json!({"items": 10}));
    }

    #[test]
    fn a_model_s_prediction_goes_and_a_policy_s_stays() {
        let row = json!({"name": "threads", "predicted_speedup": 1.97});
        let cell = json!({"name": "20 µs", "alone": 2e-4, "predicted_speedup": 1.5});
        let masked = mask_json(&json!({"stages": [row, cell]}));
        assert_eq!(masked["stages"][0]["predicted_speedup"], 1.97);
        assert_eq!(masked["stages"][1]["predicted_speedup"], "<speed-up>");
    }

    #[test]
    fn a_document_keeps_its_structure() {
        let span = |item| json!({"item": item, "worker": 1, "start": 0.0, "end": 0.1});
        let document = json!({
            "lesson": 4,
            "prediction": {"steps": 7, "bound": 2.0},
            "stages": [{"name": "threads", "seconds": 0.1, "speedup": 1.9, "predicted_speedup": 1.97,
                "low": null, "measured_break_even": null, "spans": [span(0), span(1)]}],
            "figures": {"trip": 1e-5},
            "python": {"version": "3.11.7", "stages": [{"name": "serial", "seconds": 1.5}]},
        });
        assert_eq!(
            mask_json(&document),
            json!({
                "lesson": 4,
                "prediction": {"steps": 7, "bound": 2.0},
                "stages": [{"name": "threads", "seconds": "<seconds>", "speedup": "<speed-up>",
                    "predicted_speedup": 1.97, "low": null, "measured_break_even": "<seconds>",
                    "spans": [{"item": 0, "worker": "<worker>", "start": "<seconds>", "end": "<seconds>"}]}],
                "figures": {"trip": "<figure>"},
                "python": {"version": "<python>", "stages": [{"name": "serial", "seconds": "<python>"}]},
            })
        );
    }
}
