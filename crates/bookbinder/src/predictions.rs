//! Numbers that are computed and not measured: they follow from the costs of the ten pairs.

use crate::format;
use kernel::{steps as cost, ten_pairs};
use schedule::Policy;
use std::num::NonZeroUsize;

/// The steps of the ten pairs.
pub fn costs() -> Vec<u64> {
    ten_pairs().into_iter().map(cost).collect()
}

/// The policy of this key.
///
/// # Errors
/// One line that lists the keys, if this is none of them.
pub fn policy(key: &str) -> Result<Policy, String> {
    Policy::ALL.into_iter().find(|policy| policy.key() == key).ok_or_else(|| {
        let keys = Policy::ALL.map(Policy::key);
        format!("no policy `{key}`; there are {}", keys.join(", "))
    })
}

/// A number of workers.
///
/// # Errors
/// One line if it is none.
pub fn workers(word: &str) -> Result<NonZeroUsize, String> {
    word.parse().map_err(|_| format!("`{word}` is no number of workers"))
}

/// `speedup POLICY WORKERS`, `bound WORKERS`, `ceiling` (total / longest), `table FROM TO`, and
/// `steps` with `total`, `longest`, `table`, or the number of an item, counted from 1.
///
/// # Errors
/// One line if the words are none of these.
pub fn fill(words: &[&str]) -> Result<String, String> {
    match *words {
        ["speedup", key, n] => {
            Ok(format::ratio(schedule::speedup(policy(key)?, &costs(), workers(n)?)))
        }
        ["bound", n] => Ok(format::ratio(schedule::bound(&costs(), workers(n)?))),
        ["ceiling"] => Ok(format::ratio(schedule::bound(&costs(), NonZeroUsize::MAX))),
        ["table", from, to] => Ok(table(workers(from)?.get(), workers(to)?.get())),
        ["steps", what] => steps(what),
        _ => Err("not speedup, bound, ceiling, table or steps with their arguments".into()),
    }
}

/// A row for each number of workers, a column for each policy and one for the bound.
fn table(from: usize, to: usize) -> String {
    let head = Policy::ALL.map(Policy::name).join(" | ");
    let lines = "--:|".repeat(Policy::ALL.len() + 1);
    let rows = (from..=to).filter_map(NonZeroUsize::new).map(|n| {
        let cells = Policy::ALL.map(|policy| schedule::speedup(policy, &costs(), n));
        let cells = cells.map(format::ratio).join(" | ");
        format!("\n| {n} | {cells} | {} |", format::ratio(schedule::bound(&costs(), n)))
    });
    format!("| workers | {head} | bound |\n|--:|{lines}") + &rows.collect::<String>()
}

fn steps(what: &str) -> Result<String, String> {
    let costs = costs();
    let cost = match what {
        "total" => costs.iter().sum(),
        "longest" => costs.iter().copied().max().unwrap_or(0),
        "table" => return Ok(steps_table()),
        item => {
            let found = (1_usize..).zip(&costs).find(|(number, _)| item == number.to_string());
            *found.map(|(_, cost)| cost).ok_or_else(|| format!("there is no item {item}"))?
        }
    };
    Ok(format::millions(cost))
}

fn steps_table() -> String {
    let row = |(number, pair): (usize, _)| {
        format!("\n| {number} | {pair} | {} |", format::count(cost(pair)))
    };
    let rows: String = (1..).zip(ten_pairs()).map(row).collect();
    format!("| item | pair | steps |\n|--:|:--|--:|{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_ten_pairs() {
        assert_eq!(fill(&["speedup", "ceil-chunks", "4"]).unwrap(), "2.31×");
        assert_eq!(fill(&["bound", "2"]).unwrap(), "2.00×");
        assert_eq!(fill(&["ceiling"]).unwrap(), "5.39×");
        assert_eq!(steps("longest").unwrap(), "3.82\u{a0}million");
        assert_eq!(steps("8").unwrap(), "3.82\u{a0}million");
        let table = fill(&["table", "2", "4"]).unwrap();
        assert_eq!(table.lines().count(), 5);
        assert!(table.contains("| 4 | 2.31× | 3.72× | 3.03× |"), "{table}");
        assert_eq!(steps("table").unwrap().lines().count(), 12);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(fill(&["speedup", "queue", "0"]).is_err());
        assert!(fill(&["fastest"]).is_err());
        assert!(steps("0").is_err());
    }
}
