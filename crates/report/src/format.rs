//! How numbers are written: three figures, a unit, and never more than a column holds.

/// A time with its unit, in three figures: `56.1 ms`.
pub fn time(seconds: f64) -> String {
    let unit = Unit::of(seconds);
    format!("{} {}", unit.number(seconds), unit.name)
}

/// A time for which somebody may have to wait, in words: `12 seconds`, `585 years`.
pub(crate) fn duration(seconds: f64) -> String {
    const UNITS: [(f64, &str); 5] = [
        (365.25 * 86_400.0, "years"),
        (86_400.0, "days"),
        (3_600.0, "hours"),
        (60.0, "minutes"),
        (1.0, "seconds"),
    ];
    // At least two of a unit, or there is more to say in the next one.
    let unit = UNITS.into_iter().find(|(unit, _)| seconds >= 2.0 * unit);
    let (unit, name) = unit.unwrap_or(UNITS[4]);
    format!("{} {name}", grouped((seconds / unit).round() as u64))
}

/// Two times in the unit of a third: the middle half beside its median, `55.3 - 57.4`.
pub(crate) fn range(low: f64, high: f64, median: f64) -> String {
    let unit = Unit::of(median);
    format!("{} - {}", unit.number(low), unit.number(high))
}

struct Unit {
    name: &'static str,
    per_second: f64,
}

impl Unit {
    fn of(seconds: f64) -> Self {
        let (name, per_second) = match seconds {
            s if s < 1e-6 => ("ns", 1e9),
            s if s < 1e-3 => ("µs", 1e6),
            s if s < 1.0 => ("ms", 1e3),
            _ => ("s", 1.0),
        };
        Self { name, per_second }
    }

    fn number(&self, seconds: f64) -> String {
        three_figures(seconds * self.per_second)
    }
}

fn three_figures(number: f64) -> String {
    // What would round up to the next power of ten is written with that one's decimals.
    match number {
        n if n < 9.995 => format!("{n:.2}"),
        n if n < 99.95 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

/// A speed-up, measured or predicted: `1.97x`; `0.0017x` where two decimals would say nothing, and
/// `43,021x` where all of them would.
pub fn speedup(factor: f64) -> String {
    match factor {
        f if f < 0.1 => format!("{f:.4}x"),
        f if f < 999.995 => format!("{f:.2}x"),
        f => format!("{}x", grouped(f as u64)),
    }
}

/// How many times: `7.43`, `43,021`.
pub fn ratio(factor: f64) -> String {
    if factor < 999.5 { three_figures(factor) } else { grouped(factor as u64) }
}

/// A number of bytes: `24 B`, `64 KiB`, `16 MiB`; about three figures where it is no whole number.
pub fn bytes(number: f64) -> String {
    let (unit, name) = match number {
        n if n < 1024.0 => (1.0, "B"),
        n if n < 1024.0 * 1024.0 => (1024.0, "KiB"),
        n if n < 1024.0 * 1024.0 * 1024.0 => (1024.0 * 1024.0, "MiB"),
        _ => (1024.0 * 1024.0 * 1024.0, "GiB"),
    };
    let number = number / unit;
    if number.fract() == 0.0 {
        format!("{number} {name}")
    } else {
        format!("{} {name}", three_figures(number))
    }
}

/// A share in percent: `0.6 %`.
pub fn share(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// A whole number with its thousands apart: `1,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of steps in words: `20.62 million`, `4,711`.
pub fn steps(count: u64) -> String {
    let (scale, name) = scale(count);
    if name.is_empty() { grouped(count) } else { format!("{:.2}{name}", count as f64 / scale) }
}

/// Steps in the unit of another number, without the unit's name, as in "20.62 million steps,
/// longest item 3.82"; with its own unit where it would lose its figures.
pub(crate) fn steps_like(count: u64, other: u64) -> String {
    let (scale, name) = scale(other);
    let scaled = count as f64 / scale;
    if name.is_empty() || scaled < 0.1 { steps(count) } else { format!("{scaled:.2}") }
}

fn scale(count: u64) -> (f64, &'static str) {
    match count {
        0..100_000 => (1.0, ""),
        100_000..1_000_000_000 => (1e6, " million"),
        1_000_000_000..1_000_000_000_000 => (1e9, " billion"),
        _ => (1e12, " trillion"),
    }
}

/// "1 item", "2 items": English plurals that end in s.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count as u64))
}

/// Breaks text into lines of at most `width` characters between words.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        assert_eq!([24.0, 65536.0, 16777216.0].map(bytes), ["24 B", "64 KiB", "16 MiB"]);
        assert_eq!(bytes(1.5e9), "1.40 GiB");
    }

    #[test]
    fn times_have_three_figures_and_a_fitting_unit() {
        let times = [0.0, 47e-9, 3.1e-5, 0.0561, 0.999_9, 1.0, 12.34, 1234.0].map(time);
        assert_eq!(
            times,
            ["0.00 ns", "47.0 ns", "31.0 µs", "56.1 ms", "1000 ms", "1.00 s", "12.3 s", "1234 s"]
        );
        assert_eq!(range(0.000_995, 0.0101, 0.0099), "0.99 - 10.1");
        assert_eq!(time(0.009_999), "10.0 ms");
    }

    #[test]
    fn long_times_are_in_words() {
        let times = [0.4, 12.4, 119.0, 149.0, 7_200.0, 200_000.0, 1.84e10].map(duration);
        assert_eq!(times[..4], ["0 seconds", "12 seconds", "119 seconds", "2 minutes"]);
        assert_eq!(times[4..], ["2 hours", "2 days", "583 years"]);
    }

    #[test]
    fn factors_steps_and_shares() {
        assert_eq!(
            [0.001_66, 1.0, 1.966, 999.99, 43_021.7].map(speedup).join(" "),
            "0.0017x 1.00x 1.97x 999.99x 43,021x"
        );
        assert_eq!([0.5, 31.25, 43_021.7].map(ratio).join(" "), "0.50 31.2 43,021");
        assert_eq!(
            [7, 4_711, 99_999, 20_620_754, 3_000_000_000].map(steps).join(", "),
            "7, 4,711, 99,999, 20.62 million, 3.00 billion"
        );
        assert_eq!(steps_like(3_823_804, 20_620_754), "3.82");
        assert_eq!(steps_like(1_234, 20_620_754), "1,234");
        assert_eq!(share(0.0056), "0.6 %");
        assert_eq!(
            [1, 12, 123, 1_234, 1_234_567].map(grouped).join(" "),
            "1 12 123 1,234 1,234,567"
        );
        assert_eq!([counted(1, "pair"), counted(1000, "pair")], ["1 pair", "1,000 pairs"]);
    }

    #[test]
    fn text_breaks_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("overlong words", 4), ["overlong", "words"]);
        assert_eq!(wrap("a  b\nc", 9), ["a  b", "c"]);
        assert!(wrap("", 9).is_empty());
    }
}
