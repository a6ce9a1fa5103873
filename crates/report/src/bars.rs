//! The items' costs as bars.

use crate::format::{counted, grouped};

/// Bars beyond this many tell nobody anything.
const SHOWN: usize = 20;

/// One line per item: its number counted from 1, its steps, and a bar of at most `width`
/// characters; the longest item has the longest bar. Beyond twenty items the rest is one line.
pub fn bars(costs: &[u64], width: usize) -> Vec<String> {
    let longest = costs.iter().copied().max().unwrap_or(0).max(1);
    let mut lines: Vec<String> = costs
        .iter()
        .take(SHOWN)
        .enumerate()
        .map(|(index, &cost)| {
            let length = (cost as f64 / longest as f64 * width as f64).round() as usize;
            let bar = "=".repeat(length.max(1));
            format!("{:>4}  {:>15}  {bar}", index + 1, grouped(cost))
        })
        .collect();
    if costs.len() > SHOWN {
        lines.push(format!("   …  and {} more", counted(costs.len() - SHOWN, "item")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_item_has_the_longest_bar() {
        assert_eq!(
            bars(&[1, 1_000, 500], 4),
            [
                "   1                1  =",
                "   2            1,000  ====",
                "   3              500  ==",
            ]
        );
    }

    #[test]
    fn many_items_are_cut() {
        let lines = bars(&[7; 1_000], 10);
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[20], "   …  and 980 items more");
        assert!(bars(&[], 10).is_empty());
        assert!(bars(&[u64::MAX], 10)[0].ends_with("  =========="));
    }
}
