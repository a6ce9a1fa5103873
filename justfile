# One Change: every command that you type. `just` lists the commands; arguments go at the end,
# as in `just lesson-4 --workers 3`.

set positional-arguments

_default:
    @just --list --unsorted

import 'lessons/recipes.just'

# Run a lesson; just lesson-4 is the same
[group('any lesson'), no-exit-message]
lesson n *args:
    @shift; cargo lesson "{{n}}" -- "$@"

# Guess before you run a lesson; with your guess, the answer
[group('any lesson'), no-exit-message]
predict n *args:
    @shift; cargo kit predict "{{n}}" "$@"

# Run a lesson and lay its output beside the recorded one
[group('any lesson'), no-exit-message]
compare n *args:
    @shift; cargo kit compare "{{n}}" "$@"

# Check your solution of a lesson's exercise
[group('any lesson'), no-exit-message]
exercise n *args:
    @shift; cargo kit exercise "{{n}}" "$@"

# A hint for a lesson's exercise: the first, or the one you name (1 to 3)
[group('any lesson'), no-exit-message]
hint n *args:
    @shift; cargo kit hint "{{n}}" "$@"

# Which stage to take for your own work: just advise --item-ms 2 --bytes 100000 --workers 8
[group('kit')]
advise *args:
    @cargo kit advise "$@"

# What can this machine show: cores, limits, tools, and which lessons work
[group('kit'), no-exit-message]
doctor *args:
    @cargo kit doctor "$@"

# Run every test
[group('kit'), no-exit-message]
test *args:
    cargo test "$@"

# Build the native module of lesson 8 and run its tests with pytest (needs Python 3.11 or newer)
[group('kit'), no-exit-message]
test-extension *args:
    @cargo run --quiet --release --package lesson-8 --bin test-extension -- "$@"

# Run what `.ci/run` runs: formatting, lints, documentation, tests, the book
[group('kit'), no-exit-message]
check:
    .ci/run

# Begin a lesson: its folder and its chapter, with a todo wherever text is missing
[group('kit'), no-exit-message]
new-lesson *args:
    @cargo kit new-lesson "$@"

# Write the files made from the lessons' folders: the numbered recipes, and README's table
[group('kit'), no-exit-message]
generate:
    @cargo kit generate

# Fuzz the frames of the process pool for a minute (needs a nightly toolchain and `cargo install cargo-fuzz`)
[group('kit'), no-exit-message]
fuzz *args:
    cargo +nightly fuzz run --fuzz-dir crates/process-futures/fuzz frames -- -max_total_time=60 -malloc_limit_mb=64 "$@"

# The criterion benches (minutes); a name picks some of them
[group('kit'), no-exit-message]
bench *args:
    cargo bench --package benches "$@"

# Measure the process pool against its bars, bare sockets and ProcessPoolExecutor: status 1 if one does not hold
[group('kit'), no-exit-message]
bench-pool *args:
    @cargo run --quiet --release --package benches --bin bench-pool -- "$@"

# Random tasks and random deaths for a minute; at the end every item is checked
[group('kit'), no-exit-message]
soak *args:
    @cargo run --quiet --release --package process-futures --example soak -- "$@"

# Build the book into book/build
[group('book'), no-exit-message]
book *args:
    @cargo book build "$@"

# Read the book in a browser on 127.0.0.1; it rebuilds on save
[group('book'), no-exit-message]
read *args:
    @cargo book read "$@"

# Measure this machine: writes the records and pictures that the book quotes, or the named ones
[group('book'), no-exit-message]
record *args:
    @cargo book record "$@"

# Check that the book says nothing that no file proves
[group('book'), no-exit-message]
truth *args:
    @cargo book check "$@"
