//! What the compiler makes and the evaluation loop runs.

use crate::Native;
use std::fmt::Write;

/// One instruction, with CPython's names (`Include/opcode.h`). It is four bytes wide or less, so
/// that a loop's body lies in one or two cache lines; what is wider stands in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instruction {
    LoadFast(u8),
    StoreFast(u8),
    LoadConst(u16),
    /// Takes two numbers off the stack and puts their sum, difference and so on there.
    BinaryOp(Arithmetic),
    /// Takes two numbers off the stack and puts 1 or 0 there.
    CompareOp(Comparison),
    PopJumpIfTrue(u16),
    PopJumpIfFalse(u16),
    JumpForward(u16),
    /// The one instruction that looks whether somebody wants the lock. CPython looks here too, and
    /// where a function begins or is called, which this language has no need of: without a
    /// backward jump a program comes to its end soon.
    JumpBackward(u16),
    Call(u8),
    PopTop,
    ReturnValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A compiled program: one function, ready to be run any number of times, on any number of threads
/// at once. Running it changes nothing in it.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: String,
    /// The line of the source with the name.
    pub(crate) line: usize,
    pub(crate) parameters: usize,
    /// The names of the locals, the parameters first.
    pub(crate) locals: Vec<String>,
    pub(crate) constants: Vec<u64>,
    pub(crate) code: Vec<Instruction>,
    /// For each instruction the line of the source that it comes from.
    pub(crate) lines: Vec<usize>,
    pub(crate) natives: &'static [Native],
}

impl Program {
    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many arguments it takes.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The instructions as text, in the manner of Python's `dis`: the line of the source (where a
    /// new one begins), the instruction's number, its name, and what it works on.
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
        let local = |index: u8| self.locals[usize::from(index)].clone();
        let to = |target: u16| format!("to {target}");
        match instruction {
            Instruction::LoadFast(index) => ("LOAD_FAST", local(index)),
            Instruction::StoreFast(index) => ("STORE_FAST", local(index)),
            Instruction::LoadConst(index) => {
                ("LOAD_CONST", self.constants[usize::from(index)].to_string())
            }
            Instruction::BinaryOp(operator) => ("BINARY_OP", operator.symbol().to_owned()),
            Instruction::CompareOp(operator) => ("COMPARE_OP", operator.symbol().to_owned()),
            Instruction::PopJumpIfTrue(target) => ("POP_JUMP_IF_TRUE", to(target)),
            Instruction::PopJumpIfFalse(target) => ("POP_JUMP_IF_FALSE", to(target)),
            Instruction::JumpForward(target) => ("JUMP_FORWARD", to(target)),
            Instruction::JumpBackward(target) => ("JUMP_BACKWARD", to(target)),
            Instruction::Call(index) => ("CALL", self.natives[usize::from(index)].name.to_owned()),
            Instruction::PopTop => ("POP_TOP", String::new()),
            Instruction::ReturnValue => ("RETURN_VALUE", String::new()),
        }
    }
}

impl Arithmetic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// The answer, or `None` where there is none between 0 and 2^64 - 1.
    pub(crate) fn apply(self, left: u64, right: u64) -> Option<u64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
        }
    }
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub(crate) fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}
