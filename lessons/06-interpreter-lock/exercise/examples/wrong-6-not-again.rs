//! A wrong answer to exercise 6: it lets go for the first wait, and does not take the lock again.
//!
//! Refused on: after a native that blocks, the lock is held again

use machine::{Instruction, Interpreter};
use std::process::ExitCode;

fn run(interpreter: &Interpreter, program: &[Instruction]) -> u64 {
    let mut stack = vec![];
    let mut turn = Some(interpreter.take());
    for instruction in program {
        match *instruction {
            Instruction::Push(number) => stack.push(number),
            Instruction::Add => {
                let (right, left) = (pop(&mut stack), pop(&mut stack));
                stack.push(left + right);
            }
            Instruction::Call(native) => {
                let argument = pop(&mut stack);
                if native.blocks {
                    turn = None;
                }
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

#[path = "../check.rs"]
mod check;
#[path = "../machine.rs"]
mod machine;

fn main() -> ExitCode {
    check::run()
}
