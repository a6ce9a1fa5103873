//! A Python that has the native module: found, checked, and made ready under `target/`.
//!
//! Each Python gets a folder of its own, `target/python/<version>-<digest of its path and build>`. In
//! it is a virtual environment with the packages of `crates/python-extension/requirements.txt` and
//! the wheel that maturin builds. A step whose result is there already is left out. Cargo decides
//! whether the module must be built again, so a second run costs about a second.
//!
//! What is removed or overwritten here lies in such a folder, and the folder has a marker file that
//! this program wrote when it made the folder. A folder without the marker is left alone.

use machine::{NoPython, Python};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The marker: a folder with this file was made by this program, which may clear it.
const MARKER: &str = "made-by-lesson-8-of-one-change";

/// Why the lesson has no Python to run with, in one line.
#[derive(Debug)]
pub struct Fault {
    line: String,
    status: u8,
}

impl Fault {
    /// A fault in the command line.
    fn typed(line: String) -> Self {
        Self { line, status: 2 }
    }

    /// A program that is missing on this machine, or a step that failed.
    fn missing(line: String) -> Self {
        Self { line, status: 1 }
    }

    /// Prints the line to standard error. The exit status is 2 for a fault in the command line,
    /// else 1.
    pub fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.line);
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// The command line, split between this program and the script.
#[derive(Debug, Default)]
pub struct Options {
    /// The Python of `--python PATH`.
    pub python: Option<PathBuf>,
    /// All other arguments, for the script, which checks them and reports their faults.
    pub rest: Vec<OsString>,
}

impl Options {
    /// Takes `--python PATH` out of the arguments.
    ///
    /// # Errors
    /// If `--python` is the last word.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Fault> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--python" {
                let path = arguments.next();
                let path = path.ok_or_else(|| Fault::typed("--python wants a path".into()))?;
                options.python = Some(path.into());
            } else if let Some(path) = argument.to_str().and_then(|a| a.strip_prefix("--python=")) {
                options.python = Some(path.into());
            } else {
                options.rest.push(argument);
            }
        }
        Ok(options)
    }
}

/// A Python that can have the module.
#[derive(Debug)]
pub struct Chosen {
    program: PathBuf,
    python: Python,
}

/// Finds the Python to use: the Python of `--python`, else the `python3` on the path.
///
/// # Errors
/// One line: no program is found, or the program is not Python, older than 3.11, not CPython, a
/// free-threaded build that pyo3 refuses, or unable to make virtual environments.
pub fn find(asked: Option<&Path>) -> Result<Chosen, Fault> {
    let program = asked.unwrap_or(Path::new("python3"));
    // A bad `--python` is a fault in the command line; a bad `python3` on the path is not.
    let fault = if asked.is_some() { Fault::typed } else { Fault::missing };
    let name = match asked {
        Some(path) => format!("--python {}", path.display().to_string().escape_debug()),
        None => "the python3 on the PATH".to_owned(),
    };
    let needs = "lesson 8 needs CPython 3.11 or newer";
    let another = if asked.is_some() { "" } else { "; --python PATH chooses another" };

    let python = Python::ask(program).map_err(|why| match why {
        NoPython::NotFound if asked.is_none() => {
            fault(format!("{needs}, and there is no python3 on the PATH"))
        }
        NoPython::Other | NoPython::Silent => fault(format!("{name}: {why}{another}")),
        _ => fault(format!("{name}: {why}")),
    })?;
    let Python { version, free_threaded, has_venv, implementation, .. } = &python;
    let &(major, minor, patch) = version;
    let found = format!("{name} is {implementation} {major}.{minor}.{patch}");
    if implementation != "cpython" || *version < (3, 11, 0) {
        return Err(fault(format!("{needs}, and {found}{another}")));
    }
    if *free_threaded && *version < (3, 14, 0) {
        return Err(fault(format!(
            "{found}, free-threaded, and pyo3 refuses free-threaded builds below 3.14{another}"
        )));
    }
    if !*has_venv {
        return Err(fault(format!(
            "{name} has no venv module (on Debian and Ubuntu: the package python3-venv){another}"
        )));
    }
    Ok(Chosen { program: program.to_owned(), python })
}

impl Chosen {
    /// A command that runs this Python with the native module installed. The module is built first
    /// if it has changed.
    ///
    /// # Errors
    /// One line that names the failed step, below that step's own output.
    pub fn with_the_module(&self) -> Result<Command, Fault> {
        let home = self.home();
        make_own(&home)?;
        let venv = home.join("venv");
        let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        let crate_folder = repository().join("crates/python-extension");

        // Make the environment anew if its Python has been removed or replaced. An answer that is
        // late comes from a busy machine, and is no reason to install everything again.
        let keeps = match Python::ask(&python) {
            Ok(there) => there.version == self.python.version,
            Err(why) => matches!(why, NoPython::Silent),
        };
        if !keeps {
            let words = ["-m", "venv", "--clear"];
            run(Command::new(&self.program).args(words).arg(&venv), Tell::Always)?;
        }

        let pip = |arguments: &[&str], file: &Path| {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            pip.args(arguments).arg(file);
            run(&mut pip, Tell::Always)
        };

        // A file `installed-…` is a copy of pip's last input, written only if pip succeeded. It goes
        // when the environment is cleared.
        let wanted = crate_folder.join("requirements.txt");
        once(&wanted, &venv.join("installed-requirements.txt"), || {
            pip(&["--requirement"], &wanted)
        })?;

        let installed = venv.join("installed-wheel");
        let wheel = self.wheel(&python, &home.join("wheel"), &crate_folder, &installed)?;
        once(&wheel, &installed, || pip(&["--force-reinstall", "--no-deps"], &wheel))?;
        Ok(Command::new(python))
    }

    /// The folder of this Python. Its name has a digest of everything that the Python says of
    /// itself: two Pythons of one version are two folders, and a Python that is built anew in its
    /// place is another Python. Another compiler may bring another digest, and so one more build.
    fn home(&self) -> PathBuf {
        let (major, minor, patch) = self.python.version;
        let mut digest = DefaultHasher::new();
        self.python.hash(&mut digest);
        target().join(format!("python/{major}.{minor}.{patch}-{:016x}", digest.finish()))
    }

    /// Builds the wheel, and gives its path.
    fn wheel(
        &self,
        python: &Path,
        folder: &Path,
        crate_folder: &Path,
        installed: &Path,
    ) -> Result<PathBuf, Fault> {
        let unreadable = |error| Fault::missing(format!("{}: {error}", folder.display()));
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(error)),
            _ => {}
        }
        let mut maturin = Command::new(python);
        maturin.args(["-m", "maturin", "build", "--release", "--locked", "--quiet"]);
        maturin.args(["--compatibility", "linux"]); // a wheel for this machine alone
        maturin.arg("--interpreter").arg(python);
        maturin.arg("--manifest-path").arg(crate_folder.join("Cargo.toml"));
        maturin.arg("--out").arg(folder);
        // One folder for each Python, because cargo builds pyo3 anew whenever the Python changes.
        maturin.env("CARGO_TARGET_DIR", folder.with_file_name("cargo"));
        // A fixed date makes the same module the same wheel, byte for byte, so that an unchanged
        // wheel is not installed again.
        maturin.env("SOURCE_DATE_EPOCH", "1700000000");
        let first = !installed.exists();
        run(&mut maturin, if first { Tell::Always } else { Tell::OnlyFailure })?;
        let mut wheels = fs::read_dir(folder).map_err(unreadable)?.flatten().map(|e| e.path());
        wheels
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| Fault::missing("maturin built no wheel".into()))
    }
}

/// Makes the folder with its marker, unless it is there.
///
/// # Errors
/// If something is there that has no marker.
fn make_own(home: &Path) -> Result<(), Fault> {
    let shown = home.display();
    let unusable = |error| Fault::missing(format!("{shown}: {error}"));
    fs::create_dir_all(home).map_err(unusable)?;
    if home.join(MARKER).is_file() {
        return Ok(());
    }
    // An empty folder is taken: this program may have been ended between its two steps.
    if fs::read_dir(home).map_err(unusable)?.next().is_some() {
        let why = "was not made by lesson 8, which leaves it alone: move it away";
        return Err(Fault::missing(format!("{shown} {why}")));
    }
    fs::write(home.join(MARKER), "Lesson 8 clears this folder when it needs to.\n")
        .map_err(unusable)
}

/// Does the step unless `done` holds a copy of `input`; makes that copy once the step is done.
fn once(input: &Path, done: &Path, step: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
    let unusable = |error| Fault::missing(format!("{}: {error}", input.display()));
    let bytes = fs::read(input).map_err(unusable)?;
    if fs::read(done).is_ok_and(|before| before == bytes) {
        return Ok(());
    }
    // Remove the copy first: if the step is broken off, the copy must not say that it is done.
    let _ = fs::remove_file(done);
    step()?;
    fs::write(done, bytes).map_err(|error| Fault::missing(format!("{}: {error}", done.display())))
}

/// Whether a step is announced before it begins.
#[derive(Clone, Copy, PartialEq)]
enum Tell {
    Always,
    OnlyFailure,
}

/// Runs one step. Prints `> command` first if asked to, and the command's output only if the
/// command failed.
fn run(command: &mut Command, tell: Tell) -> Result<(), Fault> {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let line = words.join(" ");
    if tell == Tell::Always {
        eprintln!("> {line}");
    }
    let output = machine::output(command, &line);
    let output = output.map_err(|error| Fault::missing(format!("{line}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Err(Fault::missing(format!("this command failed ({}): {line}", output.status)))
}

/// Lets a command take the place of this program: its output, its signals and its exit status are
/// then the program's own.
///
/// # Errors
/// If the command cannot be started.
pub fn become_of(command: &mut Command) -> Result<ExitCode, Fault> {
    #[cfg(unix)]
    let error = std::os::unix::process::CommandExt::exec(command);
    #[cfg(not(unix))]
    let error = match command.status() {
        Ok(status) => {
            let status = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(ExitCode::from(status.unwrap_or(1)));
        }
        Err(error) => error,
    };
    Err(Fault::missing(format!("{}: {error}", command.get_program().display())))
}

/// The folder of the whole project.
pub fn repository() -> PathBuf {
    let lesson = Path::new(env!("CARGO_MANIFEST_DIR"));
    lesson.ancestors().nth(2).expect("lessons lie two folders deep").to_owned()
}

/// Cargo's own `target`, wherever `CARGO_TARGET_DIR` puts it: this program lies in `target/release`
/// or `target/debug`, and cargo marks its folder with `CACHEDIR.TAG`. A copy of this program that
/// lies elsewhere must not write beside itself, and uses the project's folder.
fn target() -> PathBuf {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(|program| program.ancestors().nth(2));
    let cargos = folder.filter(|folder| folder.join("CACHEDIR.TAG").is_file());
    let typed = || std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let elsewhere = || typed().unwrap_or_else(|| repository().join("target"));
    cargos.map_or_else(elsewhere, Path::to_owned)
}
