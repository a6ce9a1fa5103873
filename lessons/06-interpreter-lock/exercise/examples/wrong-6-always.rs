//! A wrong answer to exercise 6: it lets go around every native, also around a native that needs
//! the lock.
//!
//! Refused on: a native that needs the lock is inside alone

use machine::{Instruction, Interpreter};
use std::process::ExitCode;

fn run(interpreter: &Interpreter, program: &[Instruction]) -> u64 {
    let mut stack = vec![];
    let mut turn = interpreter.take();
    for instruction in program {
        match *instruction {
            Instruction::Push(number) => stack.push(number),
            Instruction::Add => {
                let (right, left) = (pop(&mut stack), pop(&mut stack));
                stack.push(left + right);
            }
            Instruction::Call(native) => {
                let argument = pop(&mut stack);
                drop(turn);
                let answer = (native.function)(argument);
                turn = interpreter.take();
                stack.push(answer);
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
