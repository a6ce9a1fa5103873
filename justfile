# One Change: every command a person types. `just` lists them; arguments go on at the end,
# as in `just lesson-4 --workers 3`.

set positional-arguments

_default:
    @just --list --unsorted

# Lesson 0, measure-first: Where does the time go?
[group('lessons')]
[no-exit-message]
lesson-0 *args:
    @cargo lesson 0 -- "$@"

# Lesson 1, serial: What can more workers gain at most?
[group('lessons')]
[no-exit-message]
lesson-1 *args:
    @cargo lesson 1 -- "$@"

# Lesson 2, threads: Do two threads take half the time?
[group('lessons')]
[no-exit-message]
lesson-2 *args:
    @cargo lesson 2 -- "$@"

# Lesson 3, thread-pool: What does a pool save?
[group('lessons')]
[no-exit-message]
lesson-3 *args:
    @cargo lesson 3 -- "$@"

# Lesson 4, processes: One line changes. What does it buy?
[group('lessons')]
[no-exit-message]
lesson-4 *args:
    @cargo lesson 4 -- "$@"

# Lesson 5, work-stealing: Is rayon always the fastest?
[group('lessons')]
[no-exit-message]
lesson-5 *args:
    @cargo lesson 5 -- "$@"

# Lesson 6, interpreter-lock: What holds Python's threads up?
[group('lessons')]
[no-exit-message]
lesson-6 *args:
    @cargo lesson 6 -- "$@"

# Lesson 7, leverage: When is an item worth the trip?
[group('lessons')]
lesson-7 *args:
    @cargo lesson 7 -- "$@"

# Lesson 8, escape-hatch: What if the hot spot is not Python?
[group('lessons')]
[no-exit-message]
lesson-8 *args:
    @cargo lesson 8 -- "$@"

# Guess before you run lesson 0; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-0 *args:
    @cargo kit predict 0 "$@"

# Guess before you run lesson 1; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-1 *args:
    @cargo kit predict 1 "$@"

# Guess before you run lesson 2; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-2 *args:
    @cargo kit predict 2 "$@"

# Guess before you run lesson 3; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-3 *args:
    @cargo kit predict 3 "$@"

# Guess before you run lesson 4; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-4 *args:
    @cargo kit predict 4 "$@"

# Guess before you run lesson 5; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-5 *args:
    @cargo kit predict 5 "$@"

# Guess before you run lesson 6; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-6 *args:
    @cargo kit predict 6 "$@"

# Guess before you run lesson 7; with your guess, the answer
[group('predict')]
predict-7 *args:
    @cargo kit predict 7 "$@"

# Guess before you run lesson 8; with your guess, the answer
[group('predict')]
[no-exit-message]
predict-8 *args:
    @cargo kit predict 8 "$@"

# Run lesson 0 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-0 *args:
    @cargo kit compare 0 "$@"

# Run lesson 1 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-1 *args:
    @cargo kit compare 1 "$@"

# Run lesson 2 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-2 *args:
    @cargo kit compare 2 "$@"

# Run lesson 3 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-3 *args:
    @cargo kit compare 3 "$@"

# Run lesson 4 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-4 *args:
    @cargo kit compare 4 "$@"

# Run lesson 5 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-5 *args:
    @cargo kit compare 5 "$@"

# Run lesson 6 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-6 *args:
    @cargo kit compare 6 "$@"

# Run lesson 7 and lay its output beside the recorded one
[group('compare')]
compare-7 *args:
    @cargo kit compare 7 "$@"

# Run lesson 8 and lay its output beside the recorded one
[group('compare')]
[no-exit-message]
compare-8 *args:
    @cargo kit compare 8 "$@"

# Check your solution of lesson 1's exercise
[group('exercises')]
[no-exit-message]
exercise-1 *args:
    @cargo kit exercise 1 "$@"

# A hint for lesson 1's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-1 *args:
    @cargo kit hint 1 "$@"

# Check your solution of lesson 2's exercise
[group('exercises')]
[no-exit-message]
exercise-2 *args:
    @cargo kit exercise 2 "$@"

# A hint for lesson 2's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-2 *args:
    @cargo kit hint 2 "$@"

# Check your solution of lesson 3's exercise
[group('exercises')]
[no-exit-message]
exercise-3 *args:
    @cargo kit exercise 3 "$@"

# A hint for lesson 3's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-3 *args:
    @cargo kit hint 3 "$@"

# Check your solution of lesson 4's exercise
[group('exercises')]
[no-exit-message]
exercise-4 *args:
    @cargo kit exercise 4 "$@"

# A hint for lesson 4's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-4 *args:
    @cargo kit hint 4 "$@"

# Check your solution of lesson 5's exercise
[group('exercises')]
[no-exit-message]
exercise-5 *args:
    @cargo kit exercise 5 "$@"

# A hint for lesson 5's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-5 *args:
    @cargo kit hint 5 "$@"

# Check your solution of lesson 6's exercise
[group('exercises')]
[no-exit-message]
exercise-6 *args:
    @cargo kit exercise 6 "$@"

# A hint for lesson 6's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-6 *args:
    @cargo kit hint 6 "$@"

# Check your solution of lesson 7's exercise
[group('exercises')]
exercise-7 *args:
    @cargo kit exercise 7 "$@"

# A hint for lesson 7's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
hint-7 *args:
    @cargo kit hint 7 "$@"

# Check your solution of lesson 8's exercise
[group('exercises')]
[no-exit-message]
exercise-8 *args:
    @cargo kit exercise 8 "$@"

# A hint for lesson 8's exercise: the first, or the one you name (1 to 3)
[group('exercises')]
[no-exit-message]
hint-8 *args:
    @cargo kit hint 8 "$@"

# Which stage to take for your own work: just advise --item-ms 2 --bytes 100000 --workers 8
[group('kit')]
advise *args:
    @cargo kit advise "$@"

# What can this machine show: cores, limits, tools, and which lessons work
[group('kit')]
[no-exit-message]
doctor *args:
    @cargo kit doctor "$@"

# Run every test
[group('kit')]
[no-exit-message]
test *args:
    cargo test "$@"

# Build the native module of lesson 8 and run its tests with pytest (needs Python 3.11 or newer)
[group('kit')]
[no-exit-message]
test-extension *args:
    @cargo run --quiet --release --package lesson-8 --bin test-extension -- "$@"

# Run what `.ci/run` runs: formatting, lints, documentation, tests, the book
[group('kit')]
[no-exit-message]
check:
    .ci/run

# Fuzz the frames of the process pool for a minute (needs a nightly toolchain and `cargo install cargo-fuzz`)
[group('kit')]
[no-exit-message]
fuzz *args:
    cargo +nightly fuzz run --fuzz-dir crates/process-futures/fuzz frames -- -max_total_time=60 -malloc_limit_mb=64 "$@"

# The criterion benches (minutes); a name after it picks some
[group('kit')]
[no-exit-message]
bench *args:
    cargo bench --package benches "$@"

# Hold the process pool against its bars: bare sockets, and Python's ProcessPoolExecutor
[group('kit')]
[no-exit-message]
bench-pool *args:
    @cargo run --quiet --release --package benches --bin bench-pool -- "$@"

# Random tasks and random deaths for a minute; at the end everything is counted up
[group('kit')]
[no-exit-message]
soak *args:
    @cargo run --quiet --release --package process-futures --example soak -- "$@"

# Build the book into book/build
[group('book')]
[no-exit-message]
book *args:
    @cargo book build "$@"

# Read the book in a browser on 127.0.0.1; it rebuilds on save
[group('book')]
[no-exit-message]
read *args:
    @cargo book read "$@"

# Measure this machine: writes the records and pictures that the book quotes, or those you name
[group('book')]
[no-exit-message]
record *args:
    @cargo book record "$@"

# Check that the book says nothing that no file proves
[group('book')]
[no-exit-message]
truth *args:
    @cargo book check "$@"
