//! Compiled programs: the compiler makes them, and the evaluation loop runs them.

use crate::Native;
use std::error::Error;
use std::fmt::{self, Write};

/// One instruction, with CPython's names. An instruction is four bytes wide, so that a loop fits in
/// one cache line; wider operands stand in a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instruction {
    LoadFast(u8),
    StoreFast(u8),
    LoadConst(u16),
    /// Takes two numbers off the stack and pushes one. The operand is a place in [`OPERATORS`].
    /// (CPython has a COMPARE_OP besides, and the disassembly here uses that name for comparisons.)
    BinaryOp(u8),
    PopJumpIfFalse(u16),
    JumpForward(u16),
    /// The only instruction that checks whether another thread requests the lock. CPython checks
    /// here too, and also where a function begins or is called. This language needs no check there:
    /// a program that does not jump backward ends soon.
    JumpBackward(u16),
    Call(u8),
    PopTop,
    ReturnValue,
}

/// An operator of the language: how it is written, how tightly it binds, and what it does.
pub(crate) struct Operator {
    pub(crate) symbol: &'static str,
    pub(crate) precedence: u8,
    pub(crate) apply: fn(u64, u64) -> Result<u64, &'static str>,
}

const TOO_LARGE: &str = "the answer does not fit in 64 bits";
const BELOW_ZERO: &str = "the answer is below 0, and this language has no negative numbers";
const BY_ZERO: &str = "division by zero";

/// The operators are called through this table, as CPython calls its operators through `binary_ops`
/// (Python/ceval.c). CPython replaces an instruction by a faster one when it has seen the types of
/// the operands (PEP 659); here every operand is a number from the start.
pub(crate) static OPERATORS: [Operator; 11] = [
    Operator { symbol: "*", precedence: 2, apply: |l, r| l.checked_mul(r).ok_or(TOO_LARGE) },
    Operator { symbol: "/", precedence: 2, apply: |l, r| l.checked_div(r).ok_or(BY_ZERO) },
    Operator { symbol: "%", precedence: 2, apply: |l, r| l.checked_rem(r).ok_or(BY_ZERO) },
    Operator { symbol: "+", precedence: 1, apply: |l, r| l.checked_add(r).ok_or(TOO_LARGE) },
    Operator { symbol: "-", precedence: 1, apply: |l, r| l.checked_sub(r).ok_or(BELOW_ZERO) },
    Operator { symbol: "==", precedence: 0, apply: |l, r| Ok(u64::from(l == r)) },
    Operator { symbol: "!=", precedence: 0, apply: |l, r| Ok(u64::from(l != r)) },
    Operator { symbol: "<", precedence: 0, apply: |l, r| Ok(u64::from(l < r)) },
    Operator { symbol: "<=", precedence: 0, apply: |l, r| Ok(u64::from(l <= r)) },
    Operator { symbol: ">", precedence: 0, apply: |l, r| Ok(u64::from(l > r)) },
    Operator { symbol: ">=", precedence: 0, apply: |l, r| Ok(u64::from(l >= r)) },
];

/// A compiled program: one function, ready to be run any number of times, on any number of threads
/// at once. Running a program does not change it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The line of the source with the name and the parameters.
    pub(crate) line: usize,
    pub(crate) parameters: usize,
    /// The names of the locals, the parameters first.
    pub(crate) locals: Vec<String>,
    pub(crate) constants: Vec<u64>,
    pub(crate) code: Vec<Instruction>,
    /// For each instruction, the source line that the instruction comes from.
    pub(crate) lines: Vec<usize>,
    pub(crate) natives: &'static [Native],
}

impl Program {
    /// The instructions as text, in the manner of Python's `dis`: the source line (where a new line
    /// begins), the instruction's number, its name, and its operand.
    pub fn disassembly(&self) -> String {
        let mut text = "line    at instruction        operand\n".to_owned();
        let mut line_before = 0;
        for (at, (&instruction, &line)) in self.code.iter().zip(&self.lines).enumerate() {
            let shown = if line == line_before { String::new() } else { line.to_string() };
            let (name, operand) = self.describe(instruction);
            let row = format!("{shown:>4} {at:>5} {name:<18} {operand}");
            writeln!(text, "{}", row.trim_end()).expect("writing to a string does not fail");
            line_before = line;
        }
        text
    }

    fn describe(&self, instruction: Instruction) -> (&'static str, String) {
        use Instruction::*;
        match instruction {
            LoadFast(local) => ("LOAD_FAST", self.locals[usize::from(local)].clone()),
            StoreFast(local) => ("STORE_FAST", self.locals[usize::from(local)].clone()),
            LoadConst(index) => ("LOAD_CONST", self.constants[usize::from(index)].to_string()),
            BinaryOp(index) => {
                let Operator { symbol, precedence, .. } = OPERATORS[usize::from(index)];
                (if precedence == 0 { "COMPARE_OP" } else { "BINARY_OP" }, symbol.to_owned())
            }
            PopJumpIfFalse(target) => ("POP_JUMP_IF_FALSE", format!("to {target}")),
            JumpForward(target) => ("JUMP_FORWARD", format!("to {target}")),
            JumpBackward(target) => ("JUMP_BACKWARD", format!("to {target}")),
            Call(index) => ("CALL", self.natives[usize::from(index)].name.to_owned()),
            PopTop => ("POP_TOP", String::new()),
            ReturnValue => ("RETURN_VALUE", String::new()),
        }
    }
}

/// A program that cannot be compiled, or that failed while it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// The line of the source, counted from 1.
    pub line: usize,
    /// What is wrong there: one line.
    pub message: String,
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl Error for ProgramError {}
