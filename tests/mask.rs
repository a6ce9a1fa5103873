//! Masks measured numbers, so that the remaining text is the same on every machine.

use regex_lite::Regex;
use std::sync::LazyLock;

/// A lesson's output, with every measured number replaced by its kind: `<time>`, `<speed-up>` and
/// so on. Predicted numbers stay.
///
/// Masked are times, the middle half, measured speed-ups, shares and ratios, the line about the
/// machine, the lanes of a schedule, and which worker was killed. The line that says that a build
/// is not optimised is left out.
pub fn mask(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines().filter(|line| !line.starts_with("Build ")) {
        let mut line = line.to_owned();
        for (pattern, replacement) in RULES.iter() {
            line = pattern.replace_all(&line, *replacement).into_owned();
        }
        masked.push_str(line.trim_end());
        masked.push('\n');
    }
    masked
}

/// The rules apply in this order: the first rules take the larger pieces.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    const TIME: &str = r"[\d.,]+ (?:ns|µs|ms|s)\b";
    let rules = [
        (r"^Machine +.*$".to_owned(), "Machine      <machine>"),
        // The lanes of a schedule, and the scale below them.
        (r"^  ([A-Z]+)  [|=.][|=.\d]*$".to_owned(), "  $1  <lane>"),
        (format!("^     0 +{TIME}$"), "     0  <time>"),
        // The rows of lesson 7's maps, a bandwidth, and how often the model is right.
        (r"^(  \d+ (?:B|KiB|MiB)) +[| ]?[#=.][\d.]+/.*$".to_owned(), "$1  <cells>"),
        (r"\b[\d.]+ (?:B|KiB|MiB|GiB) a second\b".to_owned(), "<bandwidth> a second"),
        (r"\b\d+ of \d+ (contests|cells)\b".to_owned(), "<number> of <number> $1"),
        // The steps of two items side by side: a time, bytes (which are not measured), a share.
        (format!(r"^(.{{26}}) +{TIME} +([\d,]+|-) +[\d.,]+ %"), "$1  <time>  $2  <share>"),
        (format!(r"<share> +{TIME} +([\d,]+|-) +[\d.,]+ %"), "<share>  <time>  $1  <share>"),
        // The rows of a table: the rows' names are padded to 24 columns and stay aligned; all other
        // padding depends on the numbers, and is masked with them.
        (format!(r"^(  .{{22}}) +{TIME} +[\d.,]+ - [\d.,]+"), "$1  <time>  <middle half>"),
        (r"<middle half> +[\d.,]+x".to_owned(), "<middle half>  <speed-up>"),
        (format!(r"([\dx-])  +{TIME}$"), "$1  <time>"),
        // Lesson 8 has two measured speed-ups in a row, and a prediction behind them.
        (r"<speed-up> +[\d.,]+x( +[\d.,]+x)$".to_owned(), "<speed-up>  <speed-up>$1"),
        // Lesson 8's last row has no prediction, and looks like lesson 5's rows without a start.
        (r"^(  gcd_many .*<speed-up>) +[\d.,]+x( +-)$".to_owned(), "$1  <speed-up>$2"),
        (r"<middle half> +[\d.,]+ %".to_owned(), "<middle half>  <share>"),
        // Everything else: words around a number.
        (TIME.to_owned(), "<time>"),
        (r"\b[\d.,]+ %".to_owned(), "<share>"),
        (r"\b[\d.,]+ times\b".to_owned(), "<ratio> times"),
        (r"\b[\d,]+ hand-overs\b".to_owned(), "<count> hand-overs"),
        // The Python beside a lesson.
        (r"^(Python +\w+) \d[\w.+]*".to_owned(), "$1 <version>"),
        (r"\bprocesses by \w+".to_owned(), "processes by <method>"),
        (
            r"\bworker [A-Z]+ \(pid \d+\) (was|exited|died)\b".to_owned(),
            "worker <letter> (pid <pid>) $1",
        ),
    ];
    let compile = |pattern: &str| Regex::new(pattern).expect("the patterns are constants");
    rules.map(|(pattern, replacement)| (compile(&pattern), replacement)).into()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lose_their_measurements_and_keep_their_predictions() {
        let row = "  threads                  28.6 ms  28.1 - 29.0    1.96x     1.97x\n";
        let masked = "  threads                 <time>  <middle half>  <speed-up>     1.97x\n";
        assert_eq!(mask(row), masked);
        let other = "  threads                  1.02 s   0.99 - 1.00   12.30x     1.97x\n";
        assert_eq!(mask(other), masked);
        let start =
            "  rayon                    28.6 ms  28.1 - 29.0    1.96x         -   31.0 µs\n";
        assert_eq!(
            mask(start),
            "  rayon                   <time>  <middle half>  <speed-up>         -  <time>\n"
        );
        let steps =
            "  2 serialise               50.0 ns        34   0.3 %   1.30 ms 1,048,611  20.1 %\n";
        assert_eq!(
            mask(steps),
            "  2 serialise               <time>  34  <share>  <time>  1,048,611  <share>\n"
        );
        let share = "  gcd                      56.1 ms  55.3 - 57.4   99.9 %\n";
        assert_eq!(mask(share), "  gcd                     <time>  <middle half>  <share>\n");
    }

    #[test]
    fn sentences_keep_their_words() {
        assert_eq!(
            mask("Cost         31.0 µs of pool around 5.61 ms of gcd for each item: 0.6 %\n"),
            "Cost         <time> of pool around <time> of gcd for each item: <share>\n"
        );
        assert_eq!(mask("it is 43,021 times as fast"), "it is <ratio> times as fast\n");
        assert_eq!(
            mask("worker B (pid 4711) was killed by SIGKILL"),
            "worker <letter> (pid <pid>) was killed by SIGKILL\n"
        );
    }

    #[test]
    fn a_python_loses_its_version_and_a_row_both_its_speed_ups() {
        assert_eq!(
            mask("Python       CPython 3.14.0rc1, one lock; 3 rounds, processes by forkserver"),
            "Python       CPython <version>, one lock; 3 rounds, processes by <method>\n"
        );
        let absent = "Python       left out: there is no python3 on the PATH\n";
        assert_eq!(mask(absent), absent);
        let row = "  threads, lock held        56.1 ms  55.3 - 57.4   27.60x     0.99x     1.00x\n";
        let masked =
            "  threads, lock held      <time>  <middle half>  <speed-up>  <speed-up>     1.00x\n";
        assert_eq!(mask(row), masked);
        let row = "  gcd_many                  56.1 ms  55.3 - 57.4   27.60x     0.99x         -\n";
        let masked =
            "  gcd_many                <time>  <middle half>  <speed-up>  <speed-up>         -\n";
        assert_eq!(mask(row), masked);
        let lesson_5 =
            "  a bare loop             34.4 ms  34.2 - 34.5    1.00x     1.00x         -\n";
        let masked =
            "  a bare loop             <time>  <middle half>  <speed-up>     1.00x         -\n";
        assert_eq!(mask(lesson_5), masked);
    }

    #[test]
    fn the_machine_the_build_and_the_lanes_go() {
        let text = "Machine      2 cores\nBuild        not optimised\n  A  |1===|2=|..\n  B  ......\n     0             29.0 ms\n";
        assert_eq!(
            mask(text),
            "Machine      <machine>\n  A  <lane>\n  B  <lane>\n     0  <time>\n"
        );
        assert_eq!(mask("Machine      1 core here: expect 1.00×"), "Machine      <machine>\n");
    }

    #[test]
    fn maps_keep_their_rows_and_lose_their_cells() {
        assert_eq!(
            mask("  64 KiB   .0.50/0.60 |=1.05/1.10  #12.3/11.9     7.43 µs\n"),
            "  64 KiB  <cells>\n"
        );
        assert_eq!(
            mask("             right in 38 of 40 contests; 1.20 GiB a second"),
            "             right in <number> of <number> contests; <bandwidth> a second\n"
        );
    }

    #[test]
    fn what_is_not_measured_stays() {
        for line in [
            "Prediction   20.62 million steps, longest item 3.82: at most 2.00x on 2 workers",
            "             a queue 1.97x, contiguous chunks 1.84x",
            "Run          gcd over 10 pairs, 2 workers, 21 rounds, interleaved",
            "Answers      1 1 5 1 32 1 14 9 1 9      the same from every stage",
            "  lesson 4   let pool = ProcessPool::new(workers)?;     // the one change",
            "   8        3,823,804  ==================================================",
        ] {
            assert_eq!(mask(line), format!("{line}\n"));
        }
    }
}
