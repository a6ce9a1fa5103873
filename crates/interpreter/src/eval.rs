//! The evaluation loop, and the one lock around it.

use crate::lock::{Clock, Lock, SWITCH_INTERVAL, SystemClock};
use crate::program::{Instruction, OPERATORS, Program, ProgramError};
use spans::lane;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An interpreter: one lock, under which any number of threads run programs in turn.
///
/// Two interpreters have two locks and are independent, as are two processes, and CPython's
/// sub-interpreters since 3.12 (PEP 684). The free-threaded CPython (PEP 703) has no such lock; its
/// price is a lock in each list and dictionary, and reference counters that several threads can
/// change at once. The small language here shares nothing between threads, and needs no lock for
/// safety.
#[derive(Debug)]
pub struct Interpreter<C = SystemClock> {
    /// The lock: it knows how often it changed hands, and which thread held it when.
    pub lock: Lock<C>,
    instructions: AtomicU64,
}

impl Default for Interpreter {
    /// CPython's switch interval, five milliseconds, by the machine's clock.
    fn default() -> Self {
        Self::new(SystemClock { interval: SWITCH_INTERVAL })
    }
}

impl<C: Clock> Interpreter<C> {
    /// An interpreter whose waiting threads use this clock.
    pub fn new(clock: C) -> Self {
        Self { lock: Lock::new(clock), instructions: AtomicU64::new(0) }
    }

    /// Runs a program on this thread, under the lock, and gives its answer.
    ///
    /// The lock is taken at the beginning and released at the end. In between, the lock may change
    /// hands on two occasions: at a backward jump, if another thread requests the lock; and in a
    /// native that releases the lock while it runs. All straight-line code in between is one turn,
    /// and so is a native that keeps the lock, however long the native takes. (A native that keeps
    /// the lock and runs another program on the same interpreter waits for itself.)
    ///
    /// ```
    /// use interpreter::{Interpreter, NATIVES, Program};
    /// let program = Program::compile("function gcd(a, b)\n    return native_gcd(a, b)\n", NATIVES)?;
    /// assert_eq!(Interpreter::default().run(&program, &[12, 18])?, 6);
    /// # Ok::<(), interpreter::ProgramError>(())
    /// ```
    ///
    /// # Errors
    /// [`ProgramError`]: the line where the program failed, and why. The lock is free again.
    ///
    /// # Panics
    /// If a native panics. The lock is free again then, too.
    pub fn run(&self, program: &Program, arguments: &[u64]) -> Result<u64, ProgramError> {
        let (wanted, given) = (program.parameters, arguments.len());
        if given != wanted {
            let message = format!("the program takes {wanted} argument(s), and {given} are given");
            return Err(ProgramError { line: program.line, message });
        }
        let (mut next, mut instructions) = (0, 0);
        let answer = self.eval(program, arguments, &mut next, &mut instructions);
        self.instructions.fetch_add(instructions, Relaxed);
        answer.map_err(|message| ProgramError { line: program.lines[next - 1], message })
    }

    // ANCHOR: eval
    fn eval(
        &self,
        program: &Program,
        arguments: &[u64],
        next: &mut usize,
        instructions: &mut u64,
    ) -> Result<u64, String> {
        // A local that a jump has passed over is 0. (CPython raises UnboundLocalError, and so has
        // to check locals before it loads them.)
        let mut locals = arguments.to_vec();
        locals.resize(program.locals.len(), 0);
        let mut stack = Vec::with_capacity(16);
        let lane = lane();
        let mut turn = self.lock.take(lane);
        loop {
            let instruction = program.code[*next];
            *next += 1;
            *instructions += 1;
            match instruction {
                Instruction::LoadFast(local) => stack.push(locals[usize::from(local)]),
                Instruction::StoreFast(local) => locals[usize::from(local)] = pop(&mut stack),
                Instruction::LoadConst(index) => stack.push(program.constants[usize::from(index)]),
                Instruction::BinaryOp(index) => {
                    let (right, left) = (pop(&mut stack), pop(&mut stack));
                    stack.push((OPERATORS[usize::from(index)].apply)(left, right)?);
                }
                Instruction::PopJumpIfFalse(target) => {
                    if pop(&mut stack) == 0 {
                        *next = usize::from(target);
                    }
                }
                Instruction::JumpForward(target) => *next = usize::from(target),
                // ANCHOR: backward_jump
                Instruction::JumpBackward(target) => {
                    *next = usize::from(target);
                    // The flag is read here and nowhere else, as in CPython's CHECK_EVAL_BREAKER:
                    // every loop passes a backward jump, and the instructions between two jumps
                    // cost nothing extra.
                    if self.lock.is_asked_for() {
                        drop(turn); // and wait until another has had it
                        turn = self.lock.take(lane);
                    }
                }
                // ANCHOR_END: backward_jump
                // ANCHOR: native_call
                Instruction::Call(index) => {
                    let native = &program.natives[usize::from(index)];
                    let arguments = stack.split_off(stack.len() - native.arity);
                    if native.needs_lock {
                        stack.push((native.function)(&arguments)?);
                    } else {
                        drop(turn); // Py_BEGIN_ALLOW_THREADS
                        let answer = (native.function)(&arguments);
                        turn = self.lock.take(lane); // Py_END_ALLOW_THREADS
                        stack.push(answer?);
                    }
                }
                // ANCHOR_END: native_call
                Instruction::PopTop => drop(pop(&mut stack)),
                Instruction::ReturnValue => return Ok(pop(&mut stack)),
            }
        }
    }
    // ANCHOR_END: eval

    /// How many instructions have been carried out in all the programs that have ended.
    pub fn instructions(&self) -> u64 {
        self.instructions.load(Relaxed)
    }
}

/// The compiled code puts as much on the stack as it takes off, so the stack is never empty here.
fn pop(stack: &mut Vec<u64>) -> u64 {
    stack.pop().expect("an instruction finds on the stack what the compiler put there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::tests::TestClock;
    use crate::{
        GCD, NATIVES, Native, interpreted_gcd, interpreted_wait, native_gcd, native_gcd_unlocked,
    };
    use kernel::{Pair, gcd, steps};
    use proptest::prelude::*;
    use spans::Span;
    use std::collections::HashSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::Receiver;
    use std::sync::{Barrier, Condvar, Mutex};
    use std::thread;
    use std::time::Duration;

    fn run(source: &str, arguments: &[u64]) -> Result<u64, String> {
        let program = Program::compile(source, NATIVES).map_err(|error| error.to_string())?;
        let run = Interpreter::default().run(&program, arguments);
        run.map_err(|error| error.to_string())
    }

    #[test]
    fn precedence_is_the_usual_one() {
        let value = |expression: &str| run(&format!("function f()\nreturn {expression}"), &[]);
        assert_eq!(value("2 + 3 * 4"), Ok(14));
        assert_eq!(value("(2 + 3) * 4"), Ok(20));
        assert_eq!(value("20 - 5 - 3"), Ok(12));
        assert_eq!(value("100 / 5 / 2 % 7"), Ok(3));
        assert_eq!(value("1 + 1 == 2"), Ok(1));
        assert_eq!(value("(1 < 2) + (2 <= 2) + (3 > 4) + (4 >= 4) + (5 != 5)"), Ok(3));
        assert_eq!(value("native_gcd(2 * 6, native_gcd_unlocked(36, 54))"), Ok(6));
        assert_eq!(value("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn loops_run() {
        let source = "
            function sum(n)
                total = 0
            again:
                total = total + n
                n = n - 1
                if n > 0 goto again
                return total";
        assert_eq!(run(source, &[1_000]), Ok(500_500));
    }

    #[test]
    fn a_local_that_a_jump_passed_over_is_0() {
        let source = "function f(n)\nif n goto x\nm = 7\nx:\nreturn m";
        assert_eq!(run(source, &[0]), Ok(7));
        assert_eq!(run(source, &[1]), Ok(0));
    }

    #[test]
    fn what_fails_says_its_line_and_leaves_the_lock_free() {
        let interpreter = Interpreter::default();
        for (line, sentence) in [
            ("return n / 0", "division by zero"),
            ("return n % 0", "division by zero"),
            ("return n - 2", "the answer is below 0, and this language has no negative numbers"),
            ("return 18446744073709551615 + n", "the answer does not fit in 64 bits"),
            ("return 18446744073709551615 * (n + n)", "the answer does not fit in 64 bits"),
            ("return native_gcd(0, n)", "a pair needs two positive numbers, and one is 0"),
            ("return native_gcd_unlocked(n, 0)", "a pair needs two positive numbers, and one is 0"),
        ] {
            let program =
                Program::compile(&format!("# f\nfunction f(n)\n{line}"), NATIVES).unwrap();
            let error = interpreter.run(&program, &[1]).unwrap_err();
            assert_eq!(error.to_string(), format!("line 3: {sentence}"), "{line}");
        }
        let program = Program::compile("\nfunction f(n)\nreturn n", NATIVES).unwrap();
        let error = interpreter.run(&program, &[]).unwrap_err();
        assert_eq!(error.to_string(), "line 2: the program takes 1 argument(s), and 0 are given");
        // If an error had kept the lock, another thread would wait here for ever.
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(interpreter.run(&program, &[5]).unwrap(), 5));
        });
    }

    #[test]
    fn instructions_are_counted() {
        let interpreter = Interpreter::default();
        let program = Program::compile(GCD, NATIVES).unwrap();
        let pair = Pair::new(90, 1_000).unwrap();
        assert_eq!(interpreter.run(&program, &[90, 1_000]), Ok(10));
        assert_eq!(steps(pair), 81);
        // Seven instructions come before the loop, and eleven for each candidate. A candidate that
        // divides the first number (90, 45, 30, 18 and 15) costs eight more, and the last candidate
        // four more.
        let instructions = 7 + 81 * 11 + 5 * 8 + 4;
        assert_eq!(interpreter.instructions(), instructions);
        let failing = Program::compile("function f()\nreturn 1 / 0", NATIVES).unwrap();
        interpreter.run(&failing, &[]).unwrap_err();
        assert_eq!(interpreter.instructions(), instructions + 3);
    }

    /// Two programs under a driven clock. The first program stops in its first turn until the
    /// second waits for the lock; `meanwhile` is what happens then. Returns the notes of both
    /// programs, in order.
    fn two_programs(
        natives: &'static [Native],
        gate: &Barrier,
        log: &Mutex<Vec<u64>>,
        meanwhile: impl Fn(&Interpreter<TestClock>, &Receiver<()>),
    ) -> (Vec<u64>, Vec<Span>, u64) {
        let first = "
            function first()
                round = 1
            again:
                note(10 + round)
                round = round + 1
                note(20 + round)
                if round < 4 goto again
                return 0";
        let first = Program::compile(first, natives).unwrap();
        let second = "function second()\nnote(99)\nreturn 0";
        let second = Program::compile(second, natives).unwrap();
        let (clock, waits) = TestClock::new();
        let interpreter = Interpreter::new(clock);
        interpreter.lock.start_recording();
        thread::scope(|scope| {
            scope.spawn(|| interpreter.run(&first, &[]).unwrap());
            gate.wait(); // the first is in its first note, and holds the lock
            scope.spawn(|| interpreter.run(&second, &[]).unwrap());
            waits.recv().unwrap(); // the second waits
            meanwhile(&interpreter, &waits);
            assert_eq!(*log.lock().unwrap(), [11]);
            gate.wait(); // the first goes on
        });
        let spans = interpreter.lock.stop_recording();
        (log.lock().unwrap().clone(), spans, interpreter.lock.hand_overs())
    }

    /// Makes a native `note(n)` that keeps the lock, with a log and a gate of its own.
    macro_rules! note {
        ($natives:ident, $gate:ident, $log:ident) => {
            static $gate: Barrier = Barrier::new(2);
            static $log: Mutex<Vec<u64>> = Mutex::new(Vec::new());
            fn note(arguments: &[u64]) -> Result<u64, String> {
                $log.lock().unwrap().push(arguments[0]);
                if arguments[0] == 11 {
                    $gate.wait();
                    $gate.wait();
                }
                Ok(0)
            }
            static $natives: &[Native] =
                &[Native { name: "note", arity: 1, needs_lock: true, function: note }];
        };
    }

    #[test]
    fn the_hand_over_comes_at_the_next_backward_jump() {
        note!(WITH_NOTE, GATE, LOG);
        let (log, spans, hand_overs) =
            two_programs(WITH_NOTE, &GATE, &LOG, |interpreter, waits| {
                assert!(!interpreter.lock.is_asked_for());
                interpreter.lock.end_interval(waits);
                assert!(interpreter.lock.is_asked_for());
                assert_eq!(interpreter.lock.hand_overs(), 0);
            });
        // The first program runs on to its jump (22), and not a step further (12) before the second
        // program runs.
        assert_eq!(log, [11, 22, 99, 12, 23, 13, 24]);
        assert_eq!(hand_overs, 2);
        let [a, b, c] = spans[..] else { panic!("three turns, not {spans:?}") };
        assert_eq!(a.lane, c.lane);
        assert_ne!(a.lane, b.lane);
        let times = [a.start_ns, a.end_ns, b.start_ns, b.end_ns, c.start_ns, c.end_ns];
        assert!(times.is_sorted_by(|before, after| before < after), "{times:?}");
    }

    #[test]
    fn nobody_is_asked_before_an_interval_is_over() {
        note!(WITH_NOTE, GATE, LOG);
        let (log, spans, hand_overs) = two_programs(WITH_NOTE, &GATE, &LOG, |_, _| {});
        assert_eq!(log, [11, 22, 12, 23, 13, 24, 99]);
        assert_eq!((spans.len(), hand_overs), (2, 1));
    }

    /// Eight threads, and an interval so short that the lock changes hands all the time.
    #[test]
    fn there_are_never_two_holders() {
        static INSIDE: AtomicBool = AtomicBool::new(false);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fn inside(_: &[u64]) -> Result<u64, String> {
            assert!(!INSIDE.swap(true, Relaxed), "two threads hold the lock");
            // Load and store are two steps, so a count by a second holder in between would be lost.
            let count = COUNT.load(Relaxed);
            thread::yield_now();
            COUNT.store(count + 1, Relaxed);
            INSIDE.store(false, Relaxed);
            Ok(0)
        }
        fn outside(_: &[u64]) -> Result<u64, String> {
            thread::yield_now();
            Ok(0)
        }
        static WITH_BOTH: &[Native] = &[
            Native { name: "inside", arity: 0, needs_lock: true, function: inside },
            Native { name: "outside", arity: 0, needs_lock: false, function: outside },
        ];
        let source = "
            function f(n)
            again:
                inside()
                if n % 7 != 0 goto on
                outside()
                inside()
            on:
                n = n - 1
                if n > 0 goto again
                return n / n";
        let program = Program::compile(source, WITH_BOTH).unwrap();
        let interpreter = Interpreter::new(SystemClock { interval: Duration::from_nanos(1) });
        interpreter.lock.start_recording();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| interpreter.run(&program, &[700]).unwrap_err());
            }
        });
        assert_eq!(COUNT.load(Relaxed), 8 * (700 + 100));
        let spans = interpreter.lock.stop_recording();
        assert_eq!(spans.iter().map(|span| span.lane).collect::<HashSet<_>>().len(), 8);
        assert!(spans.windows(2).all(|two| two[0].end_ns <= two[1].start_ns), "turns overlap");
        let changes = spans.windows(2).filter(|two| two[0].lane != two[1].lane).count();
        assert_eq!(interpreter.lock.hand_overs(), changes as u64);
    }

    /// Both threads must be in the native at once; the first thread gives up after 30 s.
    #[test]
    fn a_native_that_lets_go_lets_others_run() {
        static HERE: Mutex<u64> = Mutex::new(0);
        static CAME: Condvar = Condvar::new();
        fn meet(_: &[u64]) -> Result<u64, String> {
            let mut here = HERE.lock().unwrap();
            *here += 1;
            CAME.notify_all();
            let limit = Duration::from_secs(30);
            let (here, _) = CAME.wait_timeout_while(here, limit, |here| *here < 2).unwrap();
            if *here < 2 { Err("nobody came".to_owned()) } else { Ok(*here) }
        }
        static WITH_MEET: &[Native] =
            &[Native { name: "meet", arity: 0, needs_lock: false, function: meet }];
        let program = Program::compile("function f()\nreturn meet()", WITH_MEET).unwrap();
        let interpreter = Interpreter::default();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(interpreter.run(&program, &[]).unwrap(), 2));
            }
        });
    }

    #[test]
    fn the_natives_say_whether_they_need_the_lock() {
        let says = |name| NATIVES.iter().find(|native| native.name == name).unwrap().needs_lock;
        assert!(!says("wait_ms"));
        assert!(says("native_gcd"));
        assert!(!says("native_gcd_unlocked"));
        assert_eq!(interpreted_wait(0), 0);
    }

    #[test]
    fn a_native_that_panics_leaves_the_lock_free() {
        fn fail(_: &[u64]) -> Result<u64, String> {
            panic!("no luck")
        }
        static FAILING: &[Native] = &[
            Native { name: "holding", arity: 0, needs_lock: true, function: fail },
            Native { name: "letting_go", arity: 0, needs_lock: false, function: fail },
        ];
        let interpreter = Interpreter::default();
        for native in ["holding", "letting_go"] {
            let source = format!("function f()\nreturn {native}()");
            let program = Program::compile(&source, FAILING).unwrap();
            catch_unwind(AssertUnwindSafe(|| interpreter.run(&program, &[]))).unwrap_err();
        }
        // If a panic had kept the lock, this run would wait for ever.
        let fine = Program::compile("function f()\nreturn 3", NATIVES).unwrap();
        assert_eq!(interpreter.run(&fine, &[]).unwrap(), 3);
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![1..50u64, 1..5_000u64]
    }

    proptest! {
        #[test]
        fn the_answers_are_the_kernels(a in number(), b in number()) {
            let pair = Pair::new(a, b).unwrap();
            prop_assert_eq!(interpreted_gcd(pair), gcd(pair));
            prop_assert_eq!(native_gcd(pair), gcd(pair));
            prop_assert_eq!(native_gcd_unlocked(pair), gcd(pair));
        }

        /// The largest numbers whose countdown takes a few steps.
        #[test]
        fn the_answers_are_the_kernels_at_the_edge(a in u64::MAX - 100..=u64::MAX, b in number()) {
            let pair = Pair::new(a, b).unwrap();
            prop_assert_eq!(interpreted_gcd(pair), gcd(pair));
            let same = Pair::new(a, a).unwrap();
            prop_assert_eq!(interpreted_gcd(same), a);
        }

        /// A random expression gives the same value here and in the interpreter.
        #[test]
        fn expressions_are_worked_out_as_written(expression in expression(), n in edge()) {
            let source = format!("function f(n)\nreturn {}", expression.text());
            let program = Program::compile(&source, NATIVES).unwrap();
            let run = Interpreter::default().run(&program, &[n]);
            prop_assert_eq!(run.ok(), expression.value(n), "{}", source);
        }
    }

    fn edge() -> impl Strategy<Value = u64> {
        prop_oneof![0..10u64, any::<u64>(), u64::MAX - 3..=u64::MAX]
    }

    #[derive(Clone, Debug)]
    enum Expression {
        Number(u64),
        N,
        Both(Box<Self>, &'static str, Box<Self>),
    }

    fn expression() -> impl Strategy<Value = Expression> {
        let leaf = prop_oneof![edge().prop_map(Expression::Number), Just(Expression::N)];
        leaf.prop_recursive(5, 40, 2, |inner| {
            let symbols = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="];
            (inner.clone(), prop::sample::select(symbols.to_vec()), inner).prop_map(
                |(left, symbol, right)| Expression::Both(left.into(), symbol, right.into()),
            )
        })
    }

    impl Expression {
        fn text(&self) -> String {
            match self {
                Self::Number(number) => number.to_string(),
                Self::N => "n".to_owned(),
                Self::Both(left, symbol, right) => {
                    format!("({} {symbol} {})", left.text(), right.text())
                }
            }
        }

        /// Computes in 128 bits, so that the expected value does not depend on the tested code.
        fn value(&self, n: u64) -> Option<u64> {
            let (left, symbol, right) = match self {
                Self::Number(number) => return Some(*number),
                Self::N => return Some(n),
                Self::Both(left, symbol, right) => {
                    (i128::from(left.value(n)?), symbol, i128::from(right.value(n)?))
                }
            };
            let value = match *symbol {
                "+" => left + right,
                "-" => left - right,
                "*" => left.checked_mul(right)?,
                "/" if right == 0 => return None,
                "/" => left / right,
                "%" if right == 0 => return None,
                "%" => left % right,
                "==" => i128::from(left == right),
                "!=" => i128::from(left != right),
                "<" => i128::from(left < right),
                "<=" => i128::from(left <= right),
                ">" => i128::from(left > right),
                _ => i128::from(left >= right),
            };
            u64::try_from(value).ok()
        }
    }
}
