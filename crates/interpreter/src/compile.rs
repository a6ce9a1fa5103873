//! From source to instructions, line by line, in one pass.
//!
//! The language has jumps and no loops, so that the backward jump, where the lock may change hands,
//! is visible in the source. One line is one statement:
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
//! `+ -` before one comparison (`== != < <= > >=`, which gives 1 or 0). `#` begins a comment.
//!
//! Numbers go from 0 to 2^64 - 1. CPython's numbers have a sign and no limit; numbers of 64 bits
//! keep this machine small. A result outside of that range is an error, never a wrong number.

use crate::Native;
use crate::program::{Instruction, OPERATORS, Program, ProgramError};
use std::collections::HashMap;

/// How deep expressions may be nested. A recursive parser needs some limit, or a line of a hundred
/// thousand parentheses ends the process. CPython's parser stops at 200 parentheses.
const DEEPEST: usize = 200;

impl Program {
    /// Compiles a program that may call these natives: [`NATIVES`](crate::NATIVES), or other
    /// natives (256 at most).
    ///
    /// ```
    /// use interpreter::{Interpreter, NATIVES, Program};
    /// let program = Program::compile("function double(n)\n    return n + n\n", NATIVES)?;
    /// assert_eq!(Interpreter::default().run(&program, &[21])?, 42);
    /// let error = Program::compile("function double(n)\n    return m + m\n", NATIVES);
    /// assert_eq!(error.unwrap_err().to_string(), "line 2: no line above gives 'm' a value");
    /// # Ok::<(), interpreter::ProgramError>(())
    /// ```
    ///
    /// # Errors
    /// [`ProgramError`]: the first line that is wrong, and why.
    pub fn compile(source: &str, natives: &'static [Native]) -> Result<Self, ProgramError> {
        let program = Self { natives, ..Self::default() };
        let mut compiler = Compiler { program, ..Compiler::default() };
        for (index, text) in source.trim_start_matches('\u{feff}').lines().enumerate() {
            compiler.line = index + 1;
            let compiled = compiler.statement(&tokens(text));
            compiled.map_err(|message| ProgramError { line: index + 1, message })?;
        }
        compiler.finish()
    }
}

/// Cuts a line into words and symbols. A character without meaning is a token too: the parser,
/// which knows what it expects, reports it.
fn tokens(line: &str) -> Vec<&str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|&first| first != '#') {
        let is_double = ["==", "!=", "<=", ">="].iter().any(|double| rest.starts_with(double));
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let length = if is_double { 2 } else { word.max(first.len_utf8()) };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// What is known at some line. The methods' errors are plain text; `compile` adds the line.
#[derive(Default)]
struct Compiler<'s> {
    line: usize,
    program: Program,
    labels: HashMap<&'s str, usize>,
    /// Where jumps stand, and the labels they go to. The targets are filled in at the end, when all
    /// labels are known.
    jumps: Vec<(usize, &'s str)>,
    depth: usize,
    /// Whether the program always leaves the last line by `return` or `goto`, so that execution
    /// cannot run off the end.
    has_end: bool,
}

type Compiled = Result<(), String>;

impl<'s> Compiler<'s> {
    fn statement(&mut self, tokens: &[&'s str]) -> Compiled {
        let is_end = matches!(tokens, ["return" | "goto", ..]);
        self.has_end = is_end || tokens.is_empty() && self.has_end;
        match *tokens {
            [] => Ok(()),
            ["function", name, "(", ref parameters @ .., ")"] => self.header(name, parameters),
            _ if self.program.line == 0 => {
                Err("a program begins with 'function name(parameters)'".to_owned())
            }
            [label, ":"] => match self.labels.insert(name(label)?, self.program.code.len()) {
                Some(_) => Err(format!("there is a label {} already", quoted(label))),
                None => Ok(()),
            },
            ["goto", label] => self.goto(label),
            ["if", ref condition @ .., "goto", label] => {
                self.whole_expression(condition)?;
                // Steps over an unconditional jump. So only one instruction jumps back, and only
                // one place in the evaluation loop checks whether the lock is requested. CPython
                // 3.12 compiles conditional backward jumps in this way.
                let after = (self.program.code.len() + 2) as u16;
                self.emit(Instruction::PopJumpIfFalse(after))?;
                self.goto(label)
            }
            ["return", ref expression @ ..] => {
                self.whole_expression(expression)?.emit(Instruction::ReturnValue)
            }
            [local, "=", ref expression @ ..] => {
                self.whole_expression(expression)?;
                // Declare the local only now: in `n = n + 1` the right side needs an older value.
                let local = self.declare(local)?;
                self.emit(Instruction::StoreFast(local))
            }
            [_, "(", ..] => self.whole_expression(tokens)?.emit(Instruction::PopTop),
            [first, ..] => Err(format!("no statement begins with {} like this", quoted(first))),
        }
    }

    fn header(&mut self, function: &str, parameters: &[&str]) -> Compiled {
        if self.program.line != 0 {
            return Err("a program is one function, and this is a second".to_owned());
        }
        name(function)?;
        self.program.line = self.line;
        for (index, &token) in parameters.iter().enumerate() {
            match (index % 2, token) {
                (0, new) if self.local(new).is_none() => _ = self.declare(new)?,
                (1, ",") if index + 1 < parameters.len() => {}
                _ => return Err(format!("{} is no new parameter here", quoted(token))),
            }
        }
        self.program.parameters = self.program.locals.len();
        Ok(())
    }

    fn goto(&mut self, label: &'s str) -> Compiled {
        self.jumps.push((self.program.code.len(), label));
        self.emit(Instruction::JumpForward(0))
    }

    fn whole_expression(&mut self, mut tokens: &[&'s str]) -> Result<&mut Self, String> {
        self.expression(&mut tokens, 0)?;
        match tokens {
            [] => Ok(self),
            [first, ..] => Err(format!("{} does not belong here", quoted(first))),
        }
    }

    /// Compiles the longest expression of operators that bind at least as tightly as `least`, and
    /// leaves the tokens behind it in `rest`.
    fn expression(&mut self, rest: &mut &[&'s str], least: u8) -> Compiled {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("this expression is nested too deeply".to_owned());
        }
        self.operand(rest)?;
        while let [symbol, after @ ..] = *rest
            && let Some(index) = OPERATORS.iter().position(|known| known.symbol == *symbol)
            && let precedence = OPERATORS[index].precedence
            && precedence >= least
        {
            *rest = after;
            self.expression(rest, precedence + 1)?;
            self.emit(Instruction::BinaryOp(index as u8))?;
            // Allow one comparison only: `1 < n < 3` would not mean what it seems to mean.
            if precedence == 0 {
                break;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn operand(&mut self, rest: &mut &[&'s str]) -> Compiled {
        let [first, after @ ..] = *rest else {
            return Err("a number, a local or a call is missing".to_owned());
        };
        *rest = after;
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            let no_number = |_| format!("{} is not a number of 64 bits", quoted(first));
            let number = first.parse().map_err(no_number)?;
            self.program.constants.push(number);
            // The number fits: there is at most one constant for each instruction, and `emit`
            // allows fewer than 65,536 instructions.
            return self.emit(Instruction::LoadConst((self.program.constants.len() - 1) as u16));
        }
        if *first == "(" {
            self.expression(rest, 0)?;
            return expect(rest, ")");
        }
        let name = name(first)?;
        if after.first() == Some(&"(") {
            return self.call(name, rest);
        }
        let unknown = || format!("no line above gives {} a value", quoted(name));
        self.emit(Instruction::LoadFast(self.local(name).ok_or_else(unknown)?))
    }

    /// Compiles a call whose name has already been taken off the tokens.
    fn call(&mut self, name: &str, rest: &mut &[&'s str]) -> Compiled {
        let natives = self.program.natives;
        let known = natives.iter().zip(0..=u8::MAX).find(|(native, _)| native.name == name);
        let (native, index) = known.ok_or_else(|| {
            let names: Vec<_> = natives.iter().map(|native| native.name).collect();
            format!("there is no native {}, only {}", quoted(name), names.join(", "))
        })?;
        expect(rest, "(")?;
        for argument in 0..native.arity {
            if argument > 0 {
                expect(rest, ",")?;
            }
            self.expression(rest, 0)?;
        }
        let message = format!("of {name}'s {} argument(s)", native.arity);
        expect(rest, ")").map_err(|error| format!("{error}, at the end {message}"))?;
        self.emit(Instruction::Call(index))
    }

    fn local(&self, name: &str) -> Option<u8> {
        let mut locals = self.program.locals.iter().zip(0..=u8::MAX);
        locals.find_map(|(local, index)| (local == name).then_some(index))
    }

    /// The local's number; a new number if the name is new.
    fn declare(&mut self, local: &str) -> Result<u8, String> {
        if self.local(local).is_none() {
            self.program.locals.push(name(local)?.to_owned());
        }
        self.local(local).ok_or_else(|| "a program has 256 locals at most".to_owned())
    }

    fn emit(&mut self, instruction: Instruction) -> Compiled {
        if self.program.code.len() >= usize::from(u16::MAX) {
            return Err(format!("the program has more than {} instructions", u16::MAX));
        }
        self.program.code.push(instruction);
        self.program.lines.push(self.line);
        Ok(())
    }

    fn finish(mut self) -> Result<Program, ProgramError> {
        for (at, label) in self.jumps {
            let line = self.program.lines[at];
            let unknown =
                || ProgramError { line, message: format!("there is no label {}", quoted(label)) };
            let to = *self.labels.get(label).ok_or_else(unknown)?;
            let jump = if to <= at { Instruction::JumpBackward } else { Instruction::JumpForward };
            self.program.code[at] = jump(to as u16);
        }
        if !self.has_end {
            let message = "the last line of a program is a 'return' or a 'goto'".to_owned();
            return Err(ProgramError { line: self.line.max(1), message });
        }
        Ok(self.program)
    }
}

fn expect(rest: &mut &[&str], symbol: &'static str) -> Compiled {
    let found = rest.first().map_or("the end of the line".to_owned(), |first| quoted(first));
    let after = rest.strip_prefix(&[symbol]);
    *rest = after.ok_or_else(|| format!("'{symbol}' is wanted, not {found}"))?;
    Ok(())
}

/// The word, if it can be a name.
fn name(word: &str) -> Result<&str, String> {
    let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !is_name || ["function", "if", "goto", "return"].contains(&word) {
        return Err(format!("{} cannot stand here, and is no name", quoted(word)));
    }
    Ok(word)
}

/// The word in quotes. A long word is cut, so that a message is one line.
fn quoted(word: &str) -> String {
    let head: String = word.chars().take(32).collect();
    let more = if head.len() < word.len() { "…" } else { "" };
    format!("'{}{more}'", head.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GCD, NATIVES};
    use proptest::prelude::*;

    fn compile(source: &str) -> Result<Program, ProgramError> {
        Program::compile(source, NATIVES)
    }

    fn message(source: &str) -> String {
        compile(source).unwrap_err().to_string()
    }

    /// What is wrong with this line as the second line of a program whose parameter is `n`.
    fn second_line(line: &str) -> String {
        let message = message(&format!("function f(n)\n{line}\nreturn n\n"));
        message.strip_prefix("line 2: ").unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    #[test]
    fn the_countdown_as_instructions() {
        let program = compile(GCD).unwrap();
        let expected = "\
line    at instruction        operand
   5     0 LOAD_FAST          a
         1 STORE_FAST         divisor
   6     2 LOAD_FAST          a
         3 LOAD_FAST          b
         4 COMPARE_OP         <=
         5 POP_JUMP_IF_FALSE  to 7
         6 JUMP_FORWARD       to 9
   7     7 LOAD_FAST          b
         8 STORE_FAST         divisor
   9     9 LOAD_FAST          a
        10 LOAD_FAST          divisor
        11 BINARY_OP          %
        12 LOAD_CONST         0
        13 COMPARE_OP         ==
        14 POP_JUMP_IF_FALSE  to 16
        15 JUMP_FORWARD       to 21
  11    16 LOAD_FAST          divisor
        17 LOAD_CONST         1
        18 BINARY_OP          -
        19 STORE_FAST         divisor
  12    20 JUMP_BACKWARD      to 9
  14    21 LOAD_FAST          b
        22 LOAD_FAST          divisor
        23 BINARY_OP          %
        24 LOAD_CONST         0
        25 COMPARE_OP         !=
        26 POP_JUMP_IF_FALSE  to 28
        27 JUMP_BACKWARD      to 16
  15    28 LOAD_FAST          divisor
        29 RETURN_VALUE
";
        assert_eq!(program.disassembly(), expected);
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
        assert_eq!(compile(source).unwrap().disassembly(), expected);
    }

    #[test]
    fn comments_spaces_and_windows_line_ends_are_fine() {
        let source = "\u{feff}# first\r\n\r\n\tfunction f ( n )#f\r\n  m=n # m\r\n return(m)\r\n";
        assert_eq!(compile(source).unwrap().code.len(), 4);
        assert_eq!(compile("function f()\nreturn 1").unwrap().parameters, 0);
    }

    #[test]
    fn every_mistake_in_a_line_has_its_sentence() {
        for (line, sentence) in [
            ("n = 12x", "'12x' is not a number of 64 bits"),
            ("n = 18446744073709551616", "'18446744073709551616' is not a number of 64 bits"),
            ("n = 1 & 2", "'&' does not belong here"),
            ("n = é", "'é' cannot stand here, and is no name"),
            ("n = !1", "'!' cannot stand here, and is no name"),
            ("n = -1", "'-' cannot stand here, and is no name"),
            ("n = m", "no line above gives 'm' a value"),
            ("m = m + 1", "no line above gives 'm' a value"),
            ("n = goto", "'goto' cannot stand here, and is no name"),
            ("return = 1", "'=' cannot stand here, and is no name"),
            ("if = 1", "'if' cannot stand here, and is no name"),
            ("7 = n", "'7' cannot stand here, and is no name"),
            ("7:", "'7' cannot stand here, and is no name"),
            ("goto:", "'goto' cannot stand here, and is no name"),
            ("goto 1 2", "no statement begins with 'goto' like this"),
            ("n = 1 2", "'2' does not belong here"),
            ("n = 1 < 2 < 3", "'<' does not belong here"),
            ("n =", "a number, a local or a call is missing"),
            ("return", "a number, a local or a call is missing"),
            ("n = 1 +", "a number, a local or a call is missing"),
            ("n = (1", "')' is wanted, not the end of the line"),
            ("n = (1 2)", "')' is wanted, not '2'"),
            (
                "wait_ms(1",
                "')' is wanted, not the end of the line, at the end of wait_ms's 1 argument(s)",
            ),
            ("wait_ms(1, 2)", "')' is wanted, not ',', at the end of wait_ms's 1 argument(s)"),
            ("wait_ms()", "')' cannot stand here, and is no name"),
            ("n = native_gcd(1)", "',' is wanted, not ')'"),
            (
                "print(n)",
                "there is no native 'print', only wait_ms, native_gcd, native_gcd_unlocked",
            ),
            ("n + 1", "no statement begins with 'n' like this"),
            ("7", "no statement begins with '7' like this"),
            ("if n", "no statement begins with 'if' like this"),
            ("if n goto", "no statement begins with 'if' like this"),
            ("if goto x", "a number, a local or a call is missing"),
            ("goto nowhere", "there is no label 'nowhere'"),
            ("if n goto nowhere", "there is no label 'nowhere'"),
            ("function g()", "a program is one function, and this is a second"),
        ] {
            assert_eq!(second_line(line), sentence, "{line}");
        }
        let deep = format!("n = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(second_line(&deep), "this expression is nested too deeply");
        let long = second_line(&format!("n = {}", "m".repeat(5_000)));
        assert_eq!(long, format!("no line above gives '{}…' a value", "m".repeat(32)));
    }

    #[test]
    fn every_mistake_in_a_program_has_its_line_and_its_sentence() {
        let end = "the last line of a program is a 'return' or a 'goto'";
        for (source, expected) in [
            ("", &*format!("line 1: {end}")),
            ("\n# nothing\n", &*format!("line 2: {end}")),
            ("\nn = 1", "line 2: a program begins with 'function name(parameters)'"),
            ("function f", "line 1: a program begins with 'function name(parameters)'"),
            ("function if()", "line 1: 'if' cannot stand here, and is no name"),
            ("function f(if)", "line 1: 'if' cannot stand here, and is no name"),
            ("function f(a, a)", "line 1: 'a' is no new parameter here"),
            ("function f(a b)", "line 1: 'b' is no new parameter here"),
            ("function f(a,)", "line 1: ',' is no new parameter here"),
            ("function f(,a)", "line 1: ',' cannot stand here, and is no name"),
            ("function f(n)\nx:\nx:\nreturn n", "line 3: there is a label 'x' already"),
            ("function f()\n", &*format!("line 1: {end}")),
            ("function f()\nn = 1\n", &*format!("line 2: {end}")),
            ("function f()\ngoto x\nx:\n", &*format!("line 3: {end}")),
            ("function f(n)\nx:\nif n goto x\n", &*format!("line 3: {end}")),
            ("function f(n)\nif n goto x\nreturn 1\nx:\n", &*format!("line 4: {end}")),
        ] {
            assert_eq!(message(source), expected, "{source:?}");
        }
        assert!(compile("function f()\nx:\ngoto x\n").is_ok(), "endless, but well formed");
    }

    #[test]
    fn the_limits_are_errors() {
        let lines = |count: usize| "n = n + 1\n".repeat(count);
        let source = |count: usize| format!("function f(n)\n{}return n\n", lines(count));
        // Each line has four instructions, and the last line two.
        assert!(compile(&source(16_383)).is_ok());
        let error = message(&source(16_384));
        assert_eq!(error, "line 16385: the program has more than 65535 instructions");
        let many = |count: usize| {
            let lines: String = (0..count).map(|local| format!("l{local} = 1\n")).collect();
            format!("function f()\n{lines}return l0\n")
        };
        assert!(compile(&many(256)).is_ok());
        assert_eq!(message(&many(257)), "line 258: a program has 256 locals at most");
        // A jump over a jump, with its target around the edge: three instructions for each wait, two
        // for each assignment, three for the jumps and two for the last line.
        for (waits, assignments) in [(21_842, 0), (21_842, 1), (21_843, 0), (21_843, 1)] {
            let body = "wait_ms(0)\n".repeat(waits) + &"n = n\n".repeat(assignments);
            let source = format!("function f(n)\nx:\n{body}if n goto x\nreturn n\n");
            let length = 3 * waits + 2 * assignments + 5;
            assert_eq!(compile(&source).is_ok(), length <= 65_535, "{length}");
        }
    }

    /// Words of the language in any order: most such texts are no program, but they get further
    /// through the compiler than random letters.
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
        if let Err(error) = compile(source) {
            let text = error.to_string();
            prop_assert_eq!(text.lines().count(), 1, "{}", text);
            prop_assert!(text.len() < 300);
            prop_assert!((1..=source.lines().count().max(1)).contains(&error.line));
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
