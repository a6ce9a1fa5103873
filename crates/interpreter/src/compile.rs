//! From source to instructions, line by line, in one pass.
//!
//! The language has jumps and no loops, so that the backward jump, where the lock may change hands,
//! stands in the source for everybody to see. One line is one statement:
//!
//! ```text
//! function NAME(PARAMETER, ...)     the first line; one function is the program
//! NAME = EXPRESSION                 gives a local its value; NAME may be new
//! NAME(ARGUMENT, ...)               calls a native and forgets its answer
//! LABEL:                            a place to jump to
//! goto LABEL
//! if EXPRESSION goto LABEL          jumps unless the expression is 0
//! return EXPRESSION
//! ```
//!
//! An expression is made of numbers, locals, calls and parentheses, with `* / %` before `+ -`, and
//! those before one comparison (`== != < <= > >=`, which gives 1 or 0). `#` begins a comment.
//!
//! Numbers go from 0 to 2^64 - 1. CPython's have no limit and a sign; to stay within 64 bits is
//! what makes this machine small, and an answer outside is an error, never a wrong number.

use crate::program::{Arithmetic, Comparison, Instruction, Program};
use crate::{NATIVES, Native};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

/// How deep parentheses and calls may nest. A parser that calls itself needs some limit, or a line
/// of a hundred thousand parentheses ends the process. CPython has one too ("too many nested
/// parentheses", at 200).
const DEEPEST: usize = 50;

const KEYWORDS: [&str; 4] = ["function", "if", "goto", "return"];

impl Program {
    /// Compiles a program that may call [`NATIVES`].
    ///
    /// ```
    /// let program = interpreter::Program::compile("function double(n)\n    return n + n\n")?;
    /// assert_eq!((program.name(), program.parameters()), ("double", 1));
    /// let error = interpreter::Program::compile("function double(n)\n    return m + m\n");
    /// assert_eq!(error.unwrap_err().to_string(), "line 2: no line above gives 'm' a value");
    /// # Ok::<(), interpreter::CompileError>(())
    /// ```
    ///
    /// # Errors
    /// [`CompileError`]: the first line that is wrong, and why.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        Self::compile_with(source, NATIVES)
    }

    /// Compiles a program that may call these natives and no others.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn compile_with(source: &str, natives: &'static [Native]) -> Result<Self, CompileError> {
        let mut compiler = Compiler::new(natives);
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        for (index, text) in source.lines().enumerate() {
            compiler.line = index + 1;
            tokens(text)
                .and_then(|tokens| compiler.statement(&tokens))
                .map_err(|message| CompileError { line: index + 1, message })?;
        }
        compiler.finish()
    }
}

/// A program that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    line: usize,
    message: String,
}

impl CompileError {
    /// The number of the line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl Error for CompileError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'s> {
    Number(u64),
    Name(&'s str),
    Symbol(&'s str),
}
use Token::{Name, Number, Symbol};

/// Cuts one line into tokens.
fn tokens(line: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|&first| first != '#') {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let is_double = ["==", "!=", "<=", ">="].iter().any(|double| rest.starts_with(double));
        let length = match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if is_double => 2,
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        tokens.push(match first {
            '0'..='9' if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                // Only digits are here, so the one thing that can still be wrong is their number.
                let too_large = |_| format!("{} does not fit in 64 bits", quoted(word));
                Number(word.parse().map_err(too_large)?)
            }
            '0'..='9' => return Err(format!("{} is not a number", quoted(word))),
            _ if is_word(first) => Name(word),
            _ if is_double || "=<>+-*/%(),:".contains(first) => Symbol(word),
            _ => return Err(format!("{} means nothing in this language", quoted(word))),
        });
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// A jump to a label that stands further down, and so is not known yet.
struct ForwardJump<'s> {
    at: usize,
    label: &'s str,
}

struct Compiler<'s> {
    line: usize,
    program: Program,
    locals: Vec<&'s str>,
    labels: HashMap<&'s str, u16>,
    forward_jumps: Vec<ForwardJump<'s>>,
    depth: usize,
}

impl<'s> Compiler<'s> {
    fn new(natives: &'static [Native]) -> Self {
        let program = Program {
            name: String::new(),
            line: 1,
            parameters: 0,
            locals: Vec::new(),
            constants: Vec::new(),
            code: Vec::new(),
            lines: Vec::new(),
            natives,
        };
        let (locals, labels, forward_jumps) = (Vec::new(), HashMap::new(), Vec::new());
        Self { line: 1, program, locals, labels, forward_jumps, depth: 0 }
    }

    fn statement(&mut self, tokens: &[Token<'s>]) -> Result<(), String> {
        match tokens {
            [] => Ok(()),
            [Name("function"), rest @ ..] => self.header(rest),
            _ if self.program.name.is_empty() => {
                Err("a program begins with 'function name(parameters)'".to_owned())
            }
            [Name(label), Symbol(":")] => self.label(label),
            [Name("goto"), Name(label)] => self.goto(label),
            [Name("if"), rest @ ..] => self.condition(rest),
            [Name("return"), rest @ ..] => {
                self.whole_expression(rest)?;
                self.emit(Instruction::ReturnValue)
            }
            [Name(local), Symbol("="), rest @ ..] => {
                self.whole_expression(rest)?;
                // Declared only now: in `n = n + 1` the right side needs an older value.
                let local = self.declare(local)?;
                self.emit(Instruction::StoreFast(local))
            }
            [Name(_), Symbol("("), ..] => {
                self.whole_expression(tokens)?;
                self.emit(Instruction::PopTop)
            }
            [first, ..] => Err(format!("no statement looks like this: it begins at {first}")),
        }
    }

    fn header(&mut self, tokens: &[Token<'s>]) -> Result<(), String> {
        if !self.program.name.is_empty() {
            return Err("a program is one function, and this is a second".to_owned());
        }
        let [Name(name), Symbol("("), parameters @ .., Symbol(")")] = tokens else {
            return Err("this is wanted: 'function name(parameters)'".to_owned());
        };
        self.program.name = not_a_keyword(name)?.to_owned();
        self.program.line = self.line;
        // Parameters at the even places, commas at the odd ones, and no comma at the end.
        for (index, token) in parameters.iter().enumerate() {
            match token {
                Name(name) if index % 2 == 0 => {
                    if self.locals.contains(name) {
                        return Err(format!("there is a parameter {} already", quoted(name)));
                    }
                    self.declare(name)?;
                }
                Symbol(",") if index % 2 == 1 && index + 1 < parameters.len() => {}
                other => return Err(format!("{other} is not a parameter, nor a comma after one")),
            }
        }
        self.program.parameters = self.locals.len();
        Ok(())
    }

    fn label(&mut self, label: &'s str) -> Result<(), String> {
        let here = self.program.code.len() as u16; // `emit` keeps the code below 65,536
        match self.labels.insert(not_a_keyword(label)?, here) {
            Some(_) => Err(format!("there is a label {} already", quoted(label))),
            None => Ok(()),
        }
    }

    fn goto(&mut self, label: &'s str) -> Result<(), String> {
        if let Some(&target) = self.labels.get(label) {
            return self.emit(Instruction::JumpBackward(target));
        }
        self.forward_jumps.push(ForwardJump { at: self.program.code.len(), label });
        self.emit(Instruction::JumpForward(0))
    }

    fn condition(&mut self, mut rest: &[Token<'s>]) -> Result<(), String> {
        self.expression(&mut rest)?;
        let [Name("goto"), Name(label)] = rest else {
            return Err("this is wanted: 'if expression goto label'".to_owned());
        };
        if self.labels.contains_key(label) {
            // Backward: step over an unconditional jump, so that there is one instruction that goes
            // back, and one place where the lock is asked for. CPython 3.12 does so.
            let after = (self.program.code.len() as u16).saturating_add(2);
            self.emit(Instruction::PopJumpIfFalse(after))?;
            return self.goto(label);
        }
        self.forward_jumps.push(ForwardJump { at: self.program.code.len(), label });
        self.emit(Instruction::PopJumpIfTrue(0))
    }

    fn whole_expression(&mut self, mut tokens: &[Token<'s>]) -> Result<(), String> {
        self.expression(&mut tokens)?;
        match tokens {
            [] => Ok(()),
            [first, ..] => Err(format!("{first} does not belong here")),
        }
    }

    /// Compiles as much of the tokens as is an expression, and leaves the rest.
    fn expression(&mut self, rest: &mut &[Token<'s>]) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("parentheses and calls nest more than {DEEPEST} deep"));
        }
        self.sum(rest)?;
        if let [Symbol(symbol), after @ ..] = *rest
            && let Some(operator) = comparison(symbol)
        {
            *rest = after;
            self.sum(rest)?;
            self.emit(Instruction::CompareOp(operator))?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn sum(&mut self, rest: &mut &[Token<'s>]) -> Result<(), String> {
        self.product(rest)?;
        while let [Symbol(symbol @ ("+" | "-")), after @ ..] = *rest {
            *rest = after;
            self.product(rest)?;
            let operator = if *symbol == "+" { Arithmetic::Add } else { Arithmetic::Subtract };
            self.emit(Instruction::BinaryOp(operator))?;
        }
        Ok(())
    }

    fn product(&mut self, rest: &mut &[Token<'s>]) -> Result<(), String> {
        self.operand(rest)?;
        while let [Symbol(symbol @ ("*" | "/" | "%")), after @ ..] = *rest {
            *rest = after;
            self.operand(rest)?;
            self.emit(Instruction::BinaryOp(match *symbol {
                "*" => Arithmetic::Multiply,
                "/" => Arithmetic::Divide,
                _ => Arithmetic::Remainder,
            }))?;
        }
        Ok(())
    }

    fn operand(&mut self, rest: &mut &[Token<'s>]) -> Result<(), String> {
        let [first, after @ ..] = *rest else {
            return Err("a number, a local or a call is missing at the end".to_owned());
        };
        *rest = after;
        match (*first, after) {
            (Number(number), _) => self.constant(number),
            (Name(name), [Symbol("("), after @ ..]) => {
                *rest = after;
                self.call(name, rest)
            }
            (Name(name), _) => {
                let Some(index) = self.locals.iter().position(|&local| local == name) else {
                    not_a_keyword(name)?;
                    return Err(format!("no line above gives {} a value", quoted(name)));
                };
                self.emit(Instruction::LoadFast(index as u8)) // `declare` allows no more than 256
            }
            (Symbol("("), _) => {
                self.expression(rest)?;
                self.expect(rest, ")")
            }
            (Symbol("-"), _) => {
                Err("a number is missing before '-': this language has no negative ones".to_owned())
            }
            (other, _) => Err(format!("a number, a local or a call is wanted, not {other}")),
        }
    }

    fn constant(&mut self, number: u64) -> Result<(), String> {
        let constants = &mut self.program.constants;
        let index = constants.iter().position(|&known| known == number).unwrap_or_else(|| {
            constants.push(number);
            constants.len() - 1
        });
        // Each constant is there for an instruction, and `emit` keeps the code below 65,536.
        self.emit(Instruction::LoadConst(index as u16))
    }

    /// A call, its name and the opening parenthesis already taken off.
    fn call(&mut self, name: &str, rest: &mut &[Token<'s>]) -> Result<(), String> {
        let natives = self.program.natives;
        let Some(index) = natives.iter().take(256).position(|native| native.name == name) else {
            let known: Vec<_> = natives.iter().map(|native| native.name).collect();
            return Err(format!("there is no native {}, only {}", quoted(name), known.join(", ")));
        };
        let mut given = 0;
        if !matches!(rest, [Symbol(")"), ..]) {
            self.expression(rest)?;
            given += 1;
            while let [Symbol(","), after @ ..] = *rest {
                *rest = after;
                self.expression(rest)?;
                given += 1;
            }
        }
        self.expect(rest, ")")?;
        let wanted = natives[index].arity;
        if given != wanted {
            return Err(format!("{name} takes {wanted} argument(s), and {given} are given"));
        }
        self.emit(Instruction::Call(index as u8))
    }

    fn expect(&self, rest: &mut &[Token<'s>], symbol: &str) -> Result<(), String> {
        match *rest {
            [first, after @ ..] if *first == Symbol(symbol) => {
                *rest = after;
                Ok(())
            }
            [first, ..] => Err(format!("'{symbol}' is wanted, not {first}")),
            [] => Err(format!("'{symbol}' is missing at the end")),
        }
    }

    /// The local's number; a new one if its name is new.
    fn declare(&mut self, name: &'s str) -> Result<u8, String> {
        let known = self.locals.iter().position(|&local| local == name);
        let index = known.unwrap_or(self.locals.len());
        if known.is_none() {
            self.locals.push(not_a_keyword(name)?);
        }
        index.try_into().map_err(|_| "a program has 256 locals at most".to_owned())
    }

    fn emit(&mut self, instruction: Instruction) -> Result<(), String> {
        if self.program.code.len() >= usize::from(u16::MAX) {
            return Err(format!("the program has more than {} instructions", u16::MAX));
        }
        self.program.code.push(instruction);
        self.program.lines.push(self.line);
        Ok(())
    }

    fn finish(mut self) -> Result<Program, CompileError> {
        let error = |line, message: &str| Err(CompileError { line, message: message.to_owned() });
        let Program { name, code, lines, .. } = &mut self.program;
        if name.is_empty() {
            return error(self.line, "there is no function here");
        }
        for ForwardJump { at, label } in self.forward_jumps {
            let Some(&target) = self.labels.get(label) else {
                let message = format!("there is no label {}", quoted(label));
                return error(lines[at], &message);
            };
            match &mut code[at] {
                Instruction::JumpForward(to) | Instruction::PopJumpIfTrue(to) => *to = target,
                other => unreachable!("{other:?} is not a forward jump"),
            }
        }
        // Nobody can run off the end: what stands there jumps away or returns, and no label lies
        // behind it.
        let end = code.len();
        let leaves = matches!(
            code.last(),
            Some(
                Instruction::ReturnValue
                    | Instruction::JumpForward(_)
                    | Instruction::JumpBackward(_)
            )
        );
        // A jump back that is taken only sometimes is stepped over by the instruction before it.
        let stepped_over = matches!(
            code.iter().rev().nth(1),
            Some(Instruction::PopJumpIfFalse(to)) if usize::from(*to) == end
        );
        if !leaves || stepped_over || self.labels.values().any(|&to| usize::from(to) == end) {
            return error(self.line, "the last line of a program is a 'return' or a 'goto'");
        }
        self.program.locals = self.locals.into_iter().map(str::to_owned).collect();
        Ok(self.program)
    }
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn not_a_keyword(name: &str) -> Result<&str, String> {
    if KEYWORDS.contains(&name) {
        return Err(format!("'{name}' is a word of the language and cannot be a name"));
    }
    Ok(name)
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number(number) => write!(f, "'{number}'"),
            Name(word) | Symbol(word) => f.write_str(&quoted(word)),
        }
    }
}

/// The word in quotes, cut where it is long: a message is one line.
fn quoted(word: &str) -> String {
    const ENOUGH: usize = 32;
    let mut characters = word.chars();
    let head: String = characters.by_ref().take(ENOUGH).collect();
    let more = if characters.next().is_some() { "…" } else { "" };
    format!("'{}{more}'", head.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GCD;
    use proptest::prelude::*;

    fn message(source: &str) -> String {
        Program::compile(source).unwrap_err().to_string()
    }

    /// What is wrong with this line as the second of a program whose parameter is `n`.
    fn second_line(line: &str) -> String {
        let message = message(&format!("function f(n)\n{line}\nreturn n\n"));
        message.strip_prefix("line 2: ").unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    #[test]
    fn the_countdown_as_instructions() {
        let program = Program::compile(GCD).unwrap();
        let expected = "\
line    at instruction        operand
   5     0 LOAD_FAST          a
         1 STORE_FAST         divisor
   6     2 LOAD_FAST          a
         3 LOAD_FAST          b
         4 COMPARE_OP         <=
         5 POP_JUMP_IF_TRUE   to 8
   7     6 LOAD_FAST          b
         7 STORE_FAST         divisor
   9     8 LOAD_FAST          a
         9 LOAD_FAST          divisor
        10 BINARY_OP          %
        11 LOAD_CONST         0
        12 COMPARE_OP         !=
        13 POP_JUMP_IF_TRUE   to 20
  10    14 LOAD_FAST          b
        15 LOAD_FAST          divisor
        16 BINARY_OP          %
        17 LOAD_CONST         0
        18 COMPARE_OP         ==
        19 POP_JUMP_IF_TRUE   to 25
  12    20 LOAD_FAST          divisor
        21 LOAD_CONST         1
        22 BINARY_OP          -
        23 STORE_FAST         divisor
  13    24 JUMP_BACKWARD      to 8
  15    25 LOAD_FAST          divisor
        26 RETURN_VALUE
";
        assert_eq!(program.disassembly(), expected);
        assert_eq!((program.name(), program.parameters()), ("gcd", 2));
        assert_eq!(size_of::<Instruction>(), 4);
    }

    #[test]
    fn a_conditional_jump_back_steps_over_an_unconditional_one() {
        let source = "function f(n)\nagain:\nwait_ms(0)\nif n > 3 goto again\nreturn n";
        let expected = "\
line    at instruction        operand
   3     0 LOAD_CONST         0
         1 CALL               wait_ms
         2 POP_TOP
   4     3 LOAD_FAST          n
         4 LOAD_CONST         3
         5 COMPARE_OP         >
         6 POP_JUMP_IF_FALSE  to 8
         7 JUMP_BACKWARD      to 0
   5     8 LOAD_FAST          n
         9 RETURN_VALUE
";
        assert_eq!(Program::compile(source).unwrap().disassembly(), expected);
    }

    #[test]
    fn comments_spaces_and_windows_line_ends_are_fine() {
        let source = "\u{feff}# first\r\n\r\n\tfunction f ( n )#f\r\n  m=n # m\r\n return(m)\r\n";
        assert_eq!(Program::compile(source).unwrap().code.len(), 4);
        assert_eq!(Program::compile("function f()\nreturn 1").unwrap().parameters(), 0);
    }

    #[test]
    fn every_mistake_in_a_line_has_its_sentence() {
        for (line, sentence) in [
            ("n = 12x", "'12x' is not a number"),
            ("n = 18446744073709551616", "'18446744073709551616' does not fit in 64 bits"),
            ("n = 1 & 2", "'&' means nothing in this language"),
            ("n = é", "'é' means nothing in this language"),
            ("n = !1", "'!' means nothing in this language"),
            ("n = -1", "a number is missing before '-': this language has no negative ones"),
            ("n = m", "no line above gives 'm' a value"),
            ("m = m + 1", "no line above gives 'm' a value"),
            ("n = goto", "'goto' is a word of the language and cannot be a name"),
            ("return = 1", "a number, a local or a call is wanted, not '='"),
            ("if = 1", "a number, a local or a call is wanted, not '='"),
            ("goto = 1", "'goto' is a word of the language and cannot be a name"),
            ("goto 1", "no statement looks like this: it begins at 'goto'"),
            ("goto:", "'goto' is a word of the language and cannot be a name"),
            ("n = 1 2", "'2' does not belong here"),
            ("n = 1 < 2 < 3", "'<' does not belong here"),
            ("n =", "a number, a local or a call is missing at the end"),
            ("n = 1 +", "a number, a local or a call is missing at the end"),
            ("n = (1", "')' is missing at the end"),
            ("n = (1 2)", "')' is wanted, not '2'"),
            ("wait_ms(1", "')' is missing at the end"),
            ("wait_ms(1 2)", "')' is wanted, not '2'"),
            ("wait_ms()", "wait_ms takes 1 argument(s), and 0 are given"),
            ("n = native_gcd(1, 2, 3)", "native_gcd takes 2 argument(s), and 3 are given"),
            (
                "print(n)",
                "there is no native 'print', only wait_ms, native_gcd, native_gcd_unlocked",
            ),
            ("n + 1", "no statement looks like this: it begins at 'n'"),
            ("7", "no statement looks like this: it begins at '7'"),
            ("if n", "this is wanted: 'if expression goto label'"),
            ("if n goto", "this is wanted: 'if expression goto label'"),
            ("goto nowhere", "there is no label 'nowhere'"),
            ("if n goto nowhere", "there is no label 'nowhere'"),
            ("function g()", "a program is one function, and this is a second"),
        ] {
            assert_eq!(second_line(line), sentence, "{line}");
        }
        let deep = format!("n = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(second_line(&deep), "parentheses and calls nest more than 50 deep");
        let long = second_line(&format!("n = {}", "m".repeat(5_000)));
        assert_eq!(long, format!("no line above gives '{}…' a value", "m".repeat(32)));
    }

    #[test]
    fn every_mistake_in_a_program_has_its_line_and_its_sentence() {
        let end = "the last line of a program is a 'return' or a 'goto'";
        for (source, expected) in [
            ("", "line 1: there is no function here"),
            ("\n# nothing\n", "line 2: there is no function here"),
            ("\nn = 1", "line 2: a program begins with 'function name(parameters)'"),
            ("function f", "line 1: this is wanted: 'function name(parameters)'"),
            ("function if()", "line 1: 'if' is a word of the language and cannot be a name"),
            ("function f(if)", "line 1: 'if' is a word of the language and cannot be a name"),
            ("function f(a, a)", "line 1: there is a parameter 'a' already"),
            ("function f(a b)", "line 1: 'b' is not a parameter, nor a comma after one"),
            ("function f(a,)", "line 1: ',' is not a parameter, nor a comma after one"),
            ("function f(,a)", "line 1: ',' is not a parameter, nor a comma after one"),
            ("function f(n)\nx:\nx:\nreturn n", "line 3: there is a label 'x' already"),
            ("function f()\n", &format!("line 1: {end}")),
            ("function f()\nn = 1\n", &format!("line 2: {end}")),
            ("function f()\ngoto x\nx:\n", &format!("line 3: {end}")),
            ("function f(n)\nx:\nif n goto x\n", &format!("line 3: {end}")),
            ("function f(n)\nif n goto x\nreturn 1\nx:\n", &format!("line 4: {end}")),
        ] {
            assert_eq!(message(source), expected, "{source:?}");
        }
        assert!(Program::compile("function f()\nx:\ngoto x\n").is_ok(), "endless, but well formed");
    }

    #[test]
    fn the_limits_are_errors() {
        let lines = |count: usize| "n = n + 1\n".repeat(count);
        let source = |count: usize| format!("function f(n)\n{}return n\n", lines(count));
        // Four instructions a line, and two for the last.
        assert!(Program::compile(&source(16_383)).is_ok());
        let error = message(&source(16_384));
        assert_eq!(error, "line 16385: the program has more than 65535 instructions");
        let many = |count: usize| {
            let lines: String = (0..count).map(|local| format!("l{local} = 1\n")).collect();
            format!("function f()\n{lines}return l0\n")
        };
        assert!(Program::compile(&many(256)).is_ok());
        assert_eq!(message(&many(257)), "line 258: a program has 256 locals at most");
        // A jump over a jump, with its target around the edge: three instructions before it, then
        // three for each wait and two for each assignment.
        for (waits, assignments) in [(21_842, 0), (21_842, 1), (21_843, 0), (21_843, 1)] {
            let body = "wait_ms(0)\n".repeat(waits) + &"n = n\n".repeat(assignments);
            let source = format!("function f(n)\nx:\n{body}if n goto x\nreturn n\n");
            let length = 3 * waits + 2 * assignments + 5;
            assert_eq!(Program::compile(&source).is_ok(), length <= 65_535, "{length}");
        }
    }

    /// Words of the language in any order: most are no program, and come further than letters do.
    fn soup() -> impl Strategy<Value = String> {
        let words = [
            "function",
            "f",
            "(",
            ")",
            "n",
            ",",
            "\n",
            "\n",
            "if",
            "goto",
            "return",
            "x",
            ":",
            "=",
            "==",
            "<",
            "+",
            "-",
            "%",
            "0",
            "1",
            "7x",
            "wait_ms",
            "native_gcd",
            "#",
            "é",
            "!",
        ];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..40)
            .prop_map(|words| words.join(" "))
    }

    fn is_one_line(source: &str) -> Result<(), TestCaseError> {
        if let Err(error) = Program::compile(source) {
            let text = error.to_string();
            prop_assert_eq!(text.lines().count(), 1, "{}", text);
            prop_assert!(text.len() < 300);
            prop_assert!((1..=source.lines().count().max(1)).contains(&error.line()));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            is_one_line(&text)?;
        }

        #[test]
        fn no_soup_of_words_panics(soup in soup(), header in any::<bool>()) {
            let header = if header { "function f(n, x)\n" } else { "" };
            is_one_line(&format!("{header}{soup}"))?;
        }

        #[test]
        fn no_damage_to_a_program_panics(at in 0..GCD.len(), length in 0..20usize, word in ".{0,3}") {
            let bytes = [&GCD.as_bytes()[..at], word.as_bytes(), &GCD.as_bytes()[(at + length).min(GCD.len())..]];
            is_one_line(&String::from_utf8_lossy(&bytes.concat()))?;
        }
    }
}
