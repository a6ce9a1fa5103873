//! Exercise 6: let go while you wait.
//!
//! Below stands the loop of a small interpreter, with one lock, as in lesson 6. The loop holds the
//! lock from its first instruction to its last. So when a program waits for something outside, such
//! as a disk or another computer, all other threads wait too, for no reason.
//!
//! A native declares whether it blocks (`native.blocks`). Let go of the lock around natives that
//! block, and around no others: a native that does not block may touch data that all programs
//! share. Then type
//!
//! ```text
//! just exercise-6
//! ```
//!
//! The check sends two threads into natives that wait for each other. You need to change only
//! `run`.

use machine::{Instruction, Interpreter};
use std::process::ExitCode;

/// Runs a program under the lock, and gives the number that is on the stack at its end.
fn run(interpreter: &Interpreter, program: &[Instruction]) -> u64 {
    let mut stack = vec![];
    let turn = interpreter.take();
    for instruction in program {
        match *instruction {
            Instruction::Push(number) => stack.push(number),
            Instruction::Add => {
                let (right, left) = (pop(&mut stack), pop(&mut stack));
                stack.push(left + right);
            }
            Instruction::Call(native) => {
                let argument = pop(&mut stack);
                // The lock is held here. Does this native need the lock?
                stack.push((native.function)(argument));
            }
        }
    }
    drop(turn);
    pop(&mut stack)
}

fn pop(stack: &mut Vec<u64>) -> u64 {
    stack.pop().expect("the programs of the check are well made")
}

// You need not change anything below this line. The machine and the check are beside this file.
mod check;
mod machine;

fn main() -> ExitCode {
    check::run()
}
