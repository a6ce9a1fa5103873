//! The harness: every contender once a round, round after round.

use crate::picture::Picture;
use crate::progress::Progress;
use crate::statistics::Summary;
use kernel::{Executor, Pair, TaskError, gcd, steps};
use schedule::{Policy, speedup};
use spans::{Task, Timed, now_ns, timed};
use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Instant;

/// How many rounds are timed item by item, if so many are measured. A picture needs one round; of
/// three, the one in the middle is the one to show. Repeated maps have no picture.
fn pictures(rounds: usize) -> usize {
    rounds.min(3)
}

/// How many times a row goes through the pairs: to warm up, to be measured, for its picture.
pub(crate) fn passes(rounds: usize) -> usize {
    1 + rounds + pictures(rounds)
}

/// What a contender's speed-up should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicted {
    /// What the policy gives on as many workers as the executor has.
    By(Policy),
    /// One item at a time, whatever the reason: 1.00x.
    OneAtATime,
    /// Nobody can say.
    Unknown,
}

impl From<Policy> for Predicted {
    fn from(policy: Policy) -> Self {
        Self::By(policy)
    }
}

/// What a contender does with the pairs in one round.
type Work<'a, R> = Box<dyn Fn(Vec<Pair>) -> Result<Vec<R>, TaskError> + 'a>;

/// Starts an executor and ends it, and gives the seconds of the start.
type Start<'a> = Box<dyn Fn() -> Result<f64, Box<dyn Error>> + 'a>;

/// The contenders, in the order in which the table lists them.
pub struct Table<'a> {
    pub(crate) title: String,
    pairs: Vec<Pair>,
    /// How many times a contender maps over the pairs in one round.
    repeats: usize,
    rows: Vec<Contender<'a>>,
    /// The note that waits for the row below it.
    note: Option<String>,
}

/// One contender.
pub struct Contender<'a> {
    name: String,
    note: Option<String>,
    mark: &'static str,
    predicted: Predicted,
    workers: NonZeroUsize,
    run: Work<'a, u64>,
    timed: Work<'a, Timed<u64>>,
    start: Option<Start<'a>>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(title: &str, pairs: Vec<Pair>, repeats: usize) -> Self {
        Self { title: title.to_owned(), pairs, repeats, rows: Vec::new(), note: None }
    }

    /// Adds a contender: this task, on this executor. The row called "serial" is the one that all
    /// are compared with; if there is none, the first is.
    pub fn row<T: Task<In = Pair, Out = u64>>(
        &mut self,
        name: &str,
        predicted: impl Into<Predicted>,
        executor: &'a impl Executor,
    ) -> &mut Contender<'a> {
        self.push(
            name,
            predicted.into(),
            executor.workers(),
            Box::new(|pairs| executor.map(T::run, pairs)),
            Box::new(|pairs| executor.map(timed::<T>, pairs)),
        )
    }

    /// Adds a contender that is no stage: this task in a bare loop.
    pub fn bare_loop<T: Task<In = Pair, Out = u64>>(
        &mut self,
        name: &str,
        predicted: impl Into<Predicted>,
    ) -> &mut Contender<'a> {
        self.push(
            name,
            predicted.into(),
            NonZeroUsize::MIN,
            Box::new(|pairs| Ok(pairs.into_iter().map(T::run).collect())),
            Box::new(|pairs| Ok(pairs.into_iter().map(timed::<T>).collect())),
        )
    }

    /// Adds a line of text above the next row.
    pub fn note(&mut self, text: &str) {
        self.note = Some(text.to_owned());
    }

    fn push(
        &mut self,
        name: &str,
        predicted: Predicted,
        workers: NonZeroUsize,
        run: Work<'a, u64>,
        timed: Work<'a, Timed<u64>>,
    ) -> &mut Contender<'a> {
        let note = self.note.take();
        let name = name.to_owned();
        self.rows.push(Contender {
            name,
            note,
            mark: "",
            predicted,
            workers,
            run,
            timed,
            start: None,
        });
        self.rows.last_mut().expect("it was put there in the line above")
    }

    /// Runs every contender once to warm up, then `rounds` times, then a few times more for the
    /// picture; all interleaved, so that whatever the machine does meanwhile hits all alike.
    ///
    /// # Errors
    /// A task's error, [`Disagreement`] if a contender's answers are not the first one's, or what
    /// an executor says when it cannot start.
    pub(crate) fn measure(self, rounds: usize) -> Result<TableOutcome, Box<dyn Error>> {
        let pictures = if self.repeats == 1 { pictures(rounds) } else { 0 };
        let mut progress = Progress::new("run", self.rows.len() * (1 + rounds + pictures));
        let expected = self.rows.first().map(|row| self.round(row)).transpose()?;
        let expected = expected.map(|(answers, _)| answers).unwrap_or_default();
        let check = |row: &Contender, answers: &[u64]| {
            Disagreement::find(&self.rows[0].name, &row.name, &expected, answers)
        };
        for row in &self.rows {
            let (answers, _) = self.round(row)?;
            check(row, &answers)?;
            progress.one_done();
        }
        let mut times = vec![Vec::with_capacity(rounds); self.rows.len()];
        for round in 0..rounds {
            // Another contender goes first each time, so that none always runs after the same one.
            for index in (0..self.rows.len()).map(|index| (index + round) % self.rows.len()) {
                let (answers, seconds) = self.round(&self.rows[index])?;
                check(&self.rows[index], &answers)?;
                times[index].push(seconds);
                progress.one_done();
            }
        }
        let mut drawn = vec![Vec::with_capacity(pictures); self.rows.len()];
        for _ in 0..pictures {
            for (row, drawn) in self.rows.iter().zip(&mut drawn) {
                let (answers, picture) = self.picture(row)?;
                check(row, &answers)?;
                drawn.push(picture);
                progress.one_done();
            }
        }
        let starts: Vec<_> =
            self.rows.iter().map(|row| row.start_time(rounds)).collect::<Result<_, _>>()?;
        Ok(TableOutcome { rows: self.summarise(&times, drawn, &starts), answers: expected })
    }

    /// One round of one contender: its answers, and the seconds that it took.
    fn round(&self, row: &Contender) -> Result<(Vec<u64>, f64), TaskError> {
        let begin = Instant::now();
        let mut answers = Vec::new();
        for _ in 0..self.repeats {
            answers = (row.run)(self.pairs.clone())?;
        }
        Ok((answers, begin.elapsed().as_secs_f64()))
    }

    /// The same with every item timed.
    fn picture(&self, row: &Contender) -> Result<(Vec<u64>, Picture), TaskError> {
        let begin = now_ns();
        let timed = (row.timed)(self.pairs.clone())?;
        let end = now_ns();
        let (answers, spans): (Vec<_>, Vec<_>) =
            timed.into_iter().map(|timed| (timed.answer, timed.span)).unzip();
        Ok((answers, Picture::new(&row.name, row.workers.get(), (begin, end), &spans)))
    }

    fn summarise(
        self,
        times: &[Vec<f64>],
        drawn: Vec<Vec<Picture>>,
        starts: &[Option<f64>],
    ) -> Vec<Measured> {
        let costs: Vec<u64> = self.pairs.iter().map(|&pair| steps(pair)).collect();
        let reference = self.rows.iter().position(|row| row.name == "serial").unwrap_or(0);
        let reference = Summary::of(&times[reference]).median;
        let rows = self.rows.into_iter().zip(times).zip(drawn).zip(starts);
        rows.map(|(((row, times), mut drawn), &start)| {
            drawn.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
            let middle = drawn.len() / 2;
            let time = Summary::of(times);
            Measured {
                name: row.name,
                note: row.note,
                mark: row.mark,
                policy: match row.predicted {
                    Predicted::By(policy) => Some(policy),
                    _ => None,
                },
                predicted: match row.predicted {
                    Predicted::By(policy) => Some(speedup(policy, &costs, row.workers)),
                    Predicted::OneAtATime => Some(1.0),
                    Predicted::Unknown => None,
                },
                time,
                speedup: reference / time.median,
                start,
                picture: drawn.into_iter().nth(middle),
            }
        })
        .collect()
    }
}

impl<'a> Contender<'a> {
    /// Puts a mark behind the row: `<- one change`.
    pub fn mark(&mut self, mark: &'static str) -> &mut Self {
        self.mark = mark;
        self
    }

    /// Has the start measured too: how long it takes from nothing to the first answers, that is to
    /// make this executor and to have one item of one step run for each worker.
    pub fn start<E: Executor>(
        &mut self,
        make: impl Fn() -> Result<E, Box<dyn Error>> + 'a,
    ) -> &mut Self {
        let one_step = Pair::new(1, 1).expect("one is not zero");
        self.start = Some(Box::new(move || {
            let begin = Instant::now();
            let executor = make()?;
            executor.map(gcd, vec![one_step; executor.workers().get()])?;
            let seconds = begin.elapsed().as_secs_f64();
            // What ends here ends after the clock has stopped.
            drop(executor);
            Ok(seconds)
        }));
        self
    }

    /// The median start, if it is to be measured.
    fn start_time(&self, rounds: usize) -> Result<Option<f64>, Box<dyn Error>> {
        let Some(start) = &self.start else {
            return Ok(None);
        };
        let times: Vec<f64> = (0..rounds).map(|_| start()).collect::<Result<_, _>>()?;
        Ok(Some(Summary::of(&times).median))
    }
}

/// What became of a table.
#[derive(Debug)]
pub(crate) struct TableOutcome {
    pub(crate) rows: Vec<Measured>,
    /// Every row's answers.
    pub(crate) answers: Vec<u64>,
}

/// What became of a contender.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) note: Option<String>,
    pub(crate) mark: &'static str,
    pub(crate) policy: Option<Policy>,
    pub(crate) predicted: Option<f64>,
    /// Seconds of one round.
    pub(crate) time: Summary,
    /// Against the serial row.
    pub(crate) speedup: f64,
    /// Seconds from nothing to the first answers.
    pub(crate) start: Option<f64>,
    /// One round, the middle one of a few.
    pub(crate) picture: Option<Picture>,
}

/// Two contenders do not give the same answers: something is broken, and no time is worth telling.
#[derive(Debug, PartialEq)]
pub(crate) struct Disagreement {
    first: String,
    other: String,
    /// Counted from 0; none if the number of answers differs.
    item: Option<usize>,
}

impl Disagreement {
    pub(crate) fn find(
        first: &str,
        other: &str,
        expected: &[u64],
        answers: &[u64],
    ) -> Result<(), Self> {
        if expected == answers {
            return Ok(());
        }
        let item = expected.iter().zip(answers).position(|(expected, answer)| expected != answer);
        Err(Self { first: first.to_owned(), other: other.to_owned(), item })
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, other, item } = self;
        match item {
            Some(item) => write!(f, "'{first}' and '{other}' disagree about item {}", item + 1),
            None => write!(f, "'{first}' and '{other}' do not give the same number of answers"),
        }
    }
}

impl Error for Disagreement {}

/// Times the parts of a program that runs again and again.
#[derive(Debug, Default)]
pub struct Stopwatch {
    parts: Vec<(&'static str, Vec<f64>)>,
}

impl Stopwatch {
    /// A stopwatch that has timed nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does this part of the work, and notes how long it took.
    pub fn time<R>(&mut self, part: &'static str, work: impl FnOnce() -> R) -> R {
        let begin = Instant::now();
        let result = work();
        let seconds = begin.elapsed().as_secs_f64();
        match self.parts.iter_mut().find(|(name, _)| *name == part) {
            Some((_, times)) => times.push(seconds),
            None => self.parts.push((part, vec![seconds])),
        }
        result
    }

    /// The parts in the order in which they first ran. The first time of each is left out, unless
    /// it is the only one: it warmed the machine up.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, Summary)> {
        self.parts.iter().map(|(part, times)| {
            let warm = if times.len() > 1 { &times[1..] } else { times };
            (*part, Summary::of(warm))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{catch_panic, ten_pairs};
    use spans::Gcd;
    use std::cell::RefCell;

    /// An executor that counts its maps, and spoils one answer from the given map on.
    struct Recording<'log> {
        name: &'static str,
        log: &'log RefCell<Vec<&'static str>>,
        spoilt: bool,
    }

    impl Executor for Recording<'_> {
        fn map_each<A: kernel::Message, R: kernel::Message>(
            &self,
            task: fn(A) -> R,
            items: Vec<A>,
        ) -> Vec<Result<R, TaskError>> {
            self.log.borrow_mut().push(self.name);
            let mut answers: Vec<_> = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| catch_panic(index, task, item))
                .collect();
            if self.spoilt {
                answers.swap(3, 4);
            }
            answers
        }

        fn workers(&self) -> NonZeroUsize {
            NonZeroUsize::new(2).unwrap()
        }
    }

    fn short_pairs() -> Vec<Pair> {
        (1..=5).map(|n| Pair::new(n, 2 * n).unwrap()).collect()
    }

    #[test]
    fn contenders_are_interleaved_and_none_always_goes_first() {
        let log = RefCell::new(Vec::new());
        let [a, b] = ["a", "b"].map(|name| Recording { name, log: &log, spoilt: false });
        let mut table = Table::new("Measured", short_pairs(), 1);
        table.row::<Gcd>("a", Policy::Queue, &a);
        table.row::<Gcd>("b", Policy::Queue, &b);
        let measured = table.measure(2).unwrap().rows;
        // For the answers, to warm up, two rounds, two pictures.
        assert_eq!(log.borrow().concat(), format!("{}{}{}{}", "a", "ab", "abba", "abab"));
        assert_eq!(
            measured.iter().map(|m| m.picture.as_ref().unwrap().places.len()).sum::<usize>(),
            10
        );
    }

    #[test]
    fn wrong_answers_stop_everything() {
        let log = RefCell::new(Vec::new());
        let [a, b] =
            [("a", false), ("b", true)].map(|(name, spoilt)| Recording { name, log: &log, spoilt });
        let mut table = Table::new("Measured", short_pairs(), 1);
        table.row::<Gcd>("a", Policy::Queue, &a);
        table.row::<Gcd>("b", Policy::Queue, &b);
        let error = table.measure(2).unwrap_err();
        assert_eq!(error.to_string(), "'a' and 'b' disagree about item 4");
        let short = Disagreement::find("a", "b", &[1, 2], &[1]).unwrap_err();
        assert_eq!(short.to_string(), "'a' and 'b' do not give the same number of answers");
    }

    #[test]
    fn speedups_are_against_the_serial_row_and_predictions_follow_the_policy() {
        let log = RefCell::new(Vec::new());
        let a = Recording { name: "a", log: &log, spoilt: false };
        let mut table = Table::new("Measured", ten_pairs(), 1);
        table.bare_loop::<Gcd>("a bare loop", Predicted::Unknown);
        table
            .row::<Gcd>("serial", Predicted::OneAtATime, &a)
            .start(|| Ok(Recording { name: "start", log: &log, spoilt: false }));
        table.note("and now");
        table.row::<Gcd>("queue", Policy::Queue, &a).mark("<-");
        let measured = table.measure(1).unwrap().rows;
        assert_eq!(measured[1].speedup, 1.0);
        assert!(measured[1].start.unwrap() > 0.0 && measured[0].start.is_none());
        assert_eq!(measured[0].predicted, None);
        assert_eq!(format!("{:.2}", measured[2].predicted.unwrap()), "1.97");
        assert_eq!((measured[2].note.as_deref(), measured[2].mark), (Some("and now"), "<-"));
    }

    #[test]
    fn a_stopwatch_forgets_the_first_time() {
        let mut watch = Stopwatch::new();
        let mut nap = std::time::Duration::from_millis(60);
        for _ in 0..3 {
            watch.time("nap", || std::thread::sleep(nap));
            watch.time("none", || ());
            nap /= 60;
        }
        let parts: Vec<_> = watch.parts().collect();
        assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), ["nap", "none"]);
        assert_eq!(watch.parts[0].1.len(), 3);
        let rest = Summary::of(&watch.parts[0].1[1..]);
        assert_eq!(parts[0].1, rest);
    }
}
